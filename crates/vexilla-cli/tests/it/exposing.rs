//! A sidecar that is killed while it takes exposures: each that it answered 200 arrives, or is counted as dropped.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::http::request;
use crate::running::{Beside, Sidecar};
use crate::stub::{Asked, serve};

/// What is sent to Flagr at once.
const BATCH: usize = 100;

/// How many are handed over in one request, and by how many at a time.
const ROWS: usize = 20;
const CALLERS: usize = 3;

/// What is taken before each blow, at least.
const TAKEN: usize = 1_500;

/// A Flagr that counts the exposures that it takes, and is away for them when a test says so.
#[derive(Default)]
struct Flagr {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_away: bool,
    seen: BTreeMap<String, usize>,
    /// How many were seen again since that was asked last.
    repeated: usize,
}

impl Flagr {
    fn start() -> (Arc<Self>, String) {
        let flagr = Arc::new(Self::default());
        let answering = Arc::clone(&flagr);
        let (address, _) = serve(move |asked| answering.answer(asked));
        (flagr, format!("http://{address}"))
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        let flag = json!({"ID": 1, "Key": "a", "Enabled": true, "SnapshotID": 1});
        match asked.what.as_str() {
            "GET /api/v1/flags/snapshots/max_id" => (200, json!({"maxID": 1}).to_string()),
            "GET /api/v1/export/eval_cache/json" => (200, json!({"Flags": [flag]}).to_string()),
            _ => self.take(&asked.body),
        }
    }

    fn take(&self, body: &[u8]) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        if state.is_away {
            return (503, String::new());
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let rows = body["exposures"].as_array().unwrap();
        assert!(rows.len() <= BATCH);
        for row in rows {
            let times = state.seen.entry(row["entityID"].as_str().unwrap().to_owned()).or_default();
            *times += 1;
            if 1 < *times {
                state.repeated += 1;
            }
        }
        self.changed.notify_all();
        (200, json!({ "errors": null }).to_string())
    }

    fn set_away(&self, is_away: bool) {
        self.state.lock().unwrap().is_away = is_away;
    }

    /// Waits until it has seen so many more.
    fn wait_for(&self, count: usize) {
        let state = self.state.lock().unwrap();
        let wanted = state.seen.len() + count;
        drop(self.changed.wait_while(state, |it| it.seen.len() < wanted).unwrap());
    }

    fn take_repeated(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().repeated)
    }
}

fn start(flagr: &str, folder: &Path, bytes: &str) -> Sidecar {
    let folder = folder.to_str().unwrap();
    Sidecar::start_with(
        Beside::Admin,
        &[],
        &[
            "--flagr",
            flagr,
            // The spool lies in the archive's folder, as it does by default.
            "--archive",
            folder,
            "--exposures-spool-bytes",
            bytes,
            "--exposures-interval",
            "1ms",
            "--exposures-retry-base",
            "1ms",
            "--exposures-retry-max",
            "5ms",
            "--breaker-open-for",
            "5ms",
            "--log",
            "off",
        ],
    )
}

/// Hands rows over. Gives whether that was answered 200: nobody answers once the sidecar is killed.
fn expose(address: &str, entities: &[String]) -> bool {
    let row = |it: &String| json!({"flagKey": "a", "entityID": it, "entityContext": {"plan": "x"}});
    let body = json!({ "exposures": entities.iter().map(row).collect::<Vec<_>>() }).to_string();
    let length = body.len();
    let request = format!(
        "POST /api/v1/exposures HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut answer = String::new();
    let exchanged = TcpStream::connect(address).and_then(|mut connection| {
        connection.write_all(request.as_bytes())?;
        connection.read_to_string(&mut answer)
    });
    // It was taken once its status was read, whatever became of the rest.
    let taken = answer.starts_with("HTTP/1.1 200 ");
    assert!(taken || exchanged.is_err() || answer.is_empty(), "{answer}");
    taken
}

/// What was taken, and wakes who waits for more.
#[derive(Default)]
struct Taken {
    entities: Mutex<BTreeSet<String>>,
    changed: Condvar,
}

/// Exposes until the sidecar is killed, which it is after so many, and after Flagr has seen some where it is to come back.
/// Gives what was taken.
fn expose_and_kill(sidecar: &Sidecar, flagr: &Flagr, run: usize) -> BTreeSet<String> {
    let taken = Taken::default();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (taken, address) = (&taken, &sidecar.address);
            scope.spawn(move || {
                for number in 0.. {
                    let name = |row| format!("{run}-{caller}-{number}-{row}");
                    let entities: Vec<_> = (0..ROWS).map(name).collect();
                    if !expose(address, &entities) {
                        return;
                    }
                    taken.entities.lock().unwrap().extend(entities);
                    taken.changed.notify_all();
                }
            });
        }
        let entities = taken.entities.lock().unwrap();
        drop(taken.changed.wait_while(entities, |it| it.len() < TAKEN).unwrap());
        if run % 2 == 1 {
            flagr.set_away(false);
            flagr.wait_for(3 * BATCH);
        }
        sidecar.signal("KILL");
    });
    taken.entities.into_inner().unwrap()
}

/// Has the sidecar killed so often. Gives how many were taken, how many of them Flagr never saw, and how many were dropped.
fn check(kills: usize, bytes: &str) -> (usize, usize, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (flagr, url) = Flagr::start();
    let (mut taken, mut repeats) = (BTreeSet::new(), Vec::new());
    for run in 0..kills {
        // In every other run Flagr is back before the end, so that batches are on their way then.
        flagr.set_away(true);
        repeats.push(flagr.take_repeated());
        let sidecar = start(&url, folder.path(), bytes);
        taken.extend(expose_and_kill(&sidecar, &flagr, run));
    }
    flagr.set_away(true);
    repeats.push(flagr.take_repeated());
    flagr.set_away(false);
    let sidecar = start(&url, folder.path(), bytes);
    let counts = loop {
        let answered = request(&sidecar.others[0], "GET", "/admin/stats", "");
        let stats: Value = serde_json::from_str(&answered.body).unwrap();
        if stats["exposures"]["queued"] == 0 {
            break stats["exposures"].clone();
        }
    };
    assert_eq!(counts["bytes"], 0, "{counts}");
    repeats.push(flagr.take_repeated());
    assert!(repeats.iter().all(|it| *it <= BATCH), "seen again after each kill: {repeats:?}");
    let state = flagr.state.lock().unwrap();
    let missing = taken.iter().filter(|it| !state.seen.contains_key(*it)).count();
    (taken.len(), missing, counts["dropped"].as_u64().unwrap())
}

#[test]
fn what_was_answered_200_arrives() {
    let kills = 4;
    let (taken, missing, dropped) = check(kills, "64MiB");
    assert!(kills * TAKEN <= taken, "{taken}");
    assert_eq!((missing, dropped), (0, 0));
}

#[test]
fn what_had_no_room_is_counted() {
    let (taken, missing, dropped) = check(3, "64KiB");
    assert!(0 < missing && missing as u64 <= dropped, "{taken}, {missing} missing, {dropped}");
}
