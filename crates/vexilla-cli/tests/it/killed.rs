//! A sidecar that is killed while it saves: each restart serves flags that Flagr had.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::http::request;
use crate::running::Sidecar;

const ROUNDS: u64 = 100;

/// Flags in one state: whoever mixes two of them is found out.
const FLAGS: usize = 4;

/// A Flagr that has another state each time it is asked whether anything changed.
#[derive(Default)]
struct Flagr {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    version: u64,
    exports: u64,
    is_away: bool,
}

impl Flagr {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let flagr = Arc::new(Self::default());
        let serving = Arc::clone(&flagr);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, flagr) = (connection.unwrap(), Arc::clone(&serving));
                thread::spawn(move || flagr.serve(&connection));
            }
        });
        (flagr, address)
    }

    /// Answers until the other side is gone.
    fn serve(&self, mut connection: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection.try_clone().ok()?);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).ok()? == 0 {
                    return None;
                }
            }
            let body = self.answer(&head);
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            connection.write_all(answer.as_bytes()).ok()?;
        }
    }

    /// Waits while it is away.
    fn answer(&self, head: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        let mut state = self.changed.wait_while(state, |it| it.is_away).unwrap();
        if head.contains("/max_id ") {
            state.version += 1;
            return Some(json!({ "maxID": state.version }).to_string());
        }
        if head.contains("/export/eval_cache/json") {
            state.exports += 1;
            self.changed.notify_all();
            return Some(export(state.version));
        }
        None
    }

    fn set_away(&self, is_away: bool) {
        self.state.lock().unwrap().is_away = is_away;
        self.changed.notify_all();
    }

    fn version(&self) -> u64 {
        self.state.lock().unwrap().version
    }

    /// Waits until it was asked for its flags so often.
    fn wait_for_exports(&self, count: u64) {
        let state = self.state.lock().unwrap();
        let wanted = state.exports + count;
        drop(self.changed.wait_while(state, |it| it.exports < wanted).unwrap());
    }
}

fn export(version: u64) -> String {
    let flag = |id| {
        json!({
            "ID": id, "Key": format!("flag-{id}"), "Enabled": true, "SnapshotID": version,
            "Variants": [{"ID": id, "Key": format!("version-{version}")}],
            "Segments": [{"ID": id, "RolloutPercent": 100, "Distributions": [
                {"VariantID": id, "VariantKey": format!("version-{version}"), "Percent": 100}]}]
        })
    };
    json!({ "Flags": (1..=FLAGS).map(flag).collect::<Vec<_>>() }).to_string()
}

/// The state of Flagr that the sidecar serves, which must be one.
fn served(sidecar: &Sidecar) -> u64 {
    let body = request(&sidecar.address, "GET", "/api/v1/export/eval_cache/json", "").body;
    let document: Value = serde_json::from_str(&body).unwrap();
    let flags = document["Flags"].as_array().unwrap();
    let versions: Vec<_> = flags.iter().map(|it| it["SnapshotID"].as_u64().unwrap()).collect();
    assert_eq!(versions, [versions[0]; FLAGS], "{body}");
    let expected: Value = serde_json::from_str(&export(versions[0])).unwrap();
    for (flag, expected) in flags.iter().zip(expected["Flags"].as_array().unwrap()) {
        assert_eq!(flag["Variants"][0]["Key"], expected["Variants"][0]["Key"], "{body}");
    }
    versions[0]
}

fn start(folder: &Path, flagr: &str) -> Sidecar {
    let folder = folder.to_str().unwrap();
    Sidecar::start(&[
        "--flagr",
        flagr,
        "--archive",
        folder,
        "--refresh-interval",
        "1ms",
        "--log",
        "off",
    ])
}

/// Spins a little, so that the blow falls in the midst of something else each time.
fn for_a_moment(random: &mut u64) {
    *random =
        random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    for _ in 0..(*random >> 44) {
        std::hint::spin_loop();
    }
}

#[test]
fn each_restart_serves_flags_that_flagr_had() {
    let folder = tempfile::tempdir().unwrap();
    let (flagr, url) = Flagr::start();
    let mut sidecar = start(folder.path(), &url);
    let mut last = 0;
    let mut random = 7;
    for round in 0..ROUNDS {
        flagr.wait_for_exports(1 + round % 4);
        for_a_moment(&mut random);
        sidecar.signal("KILL");
        let newest = flagr.version();
        flagr.set_away(true);
        drop(sidecar);

        // It starts and serves although Flagr says nothing.
        sidecar = start(folder.path(), &url);
        assert!(sidecar.loaded.contains("from disk, generation "), "{}", sidecar.loaded);
        let version = served(&sidecar);
        assert!((last..=newest).contains(&version), "round {round}: {version} of {newest}");
        last = version;
        flagr.set_away(false);
    }
    // It saved something again and again.
    assert!(ROUNDS / 2 < last, "{last}");
}
