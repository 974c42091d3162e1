//! A process that is killed while it exposes: what it was told is kept arrives, or is counted as dropped.
//!
//! The process is this test binary once more, told by its environment to be the one that is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use vexilla::{BreakerConfig, Client, Context, ExposureConfig};

use crate::scripted::flag;

/// What is sent at once.
const BATCH: usize = 100;

const TASKS: u32 = 4;

/// What each of them exposes, unless it is killed before.
const EACH: u32 = 1_000;

/// A Flagr that counts the exposures that it takes, and is away for them when a test says so.
#[derive(Default)]
struct Flagr {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_away: bool,
    seen: BTreeMap<String, u32>,
    /// How many it has seen that it had seen before, since it was asked for that last.
    repeated: usize,
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
            let head = head.to_lowercase();
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
            reader.read_exact(&mut body).ok()?;
            let body = self.answer(&head, &body)?.to_string();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            connection.write_all(answer.as_bytes()).ok()?;
        }
    }

    /// `None` hangs up.
    fn answer(&self, head: &str, body: &[u8]) -> Option<Value> {
        if head.contains("/max_id ") {
            return Some(json!({ "maxID": 1 }));
        }
        if head.contains("/export/eval_cache/json") {
            let flag: Value = serde_json::from_str(&flag(1, "a", "")).unwrap();
            return Some(json!({ "Flags": [flag] }));
        }
        let mut state = self.state.lock().unwrap();
        if state.is_away {
            return None;
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let rows = body["exposures"].as_array().unwrap();
        assert!(rows.len() <= BATCH);
        for row in rows {
            assert_eq!((&row["flagKey"], &row["variantKey"]), (&json!("a"), &json!("on")));
            let times = state.seen.entry(row["entityID"].as_str().unwrap().to_owned()).or_default();
            *times += 1;
            if 1 < *times {
                state.repeated += 1;
            }
        }
        self.changed.notify_all();
        Some(json!({ "errors": null, "message": "Exposures logged successfully" }))
    }

    fn set_away(&self, is_away: bool) {
        self.state.lock().unwrap().is_away = is_away;
    }

    /// Waits until it has seen so many.
    fn wait_for(&self, count: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |it| it.seen.len() < count).unwrap());
    }

    /// How many were seen again since this was asked last.
    fn take_repeated(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().repeated)
    }

    fn seen(&self) -> BTreeMap<String, u32> {
        self.state.lock().unwrap().seen.clone()
    }
}

/// What the process that is killed is told by its environment: where Flagr is, where the spool is, how large that may be,
/// the name of the run, or `flush` for a run that only sends what is there.
const ORDERS: &str = "VEXILLA_TEST_EXPOSE";

/// Exposes, and says what is kept. A run of all tests has no orders for it, and is through with it at once.
#[test]
#[expect(clippy::disallowed_methods, reason = "the process that is killed is told what to do")]
fn the_process_that_is_killed() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Vec<&str> = orders.split(' ').collect();
    let [url, folder, bytes, run] = orders[..] else { panic!("{orders:?}") };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        let mut config = ExposureConfig::default();
        config.spool = Some(folder.into());
        config.spool_bytes = bytes.parse().unwrap();
        config.interval = Duration::from_millis(1);
        config.retry_base = Duration::from_millis(1);
        config.retry_max = Duration::from_millis(5);
        config.flush_limit = Duration::from_secs(600);
        let mut breaker = BreakerConfig::default();
        breaker.open_for = Duration::from_millis(5);
        let builder = Client::builder().flagr(url).exposures(config).breaker(breaker);
        let client = builder.start().await.unwrap();
        if run == "flush" {
            client.stop().await;
            let counts = client.stats().exposures.unwrap();
            println!("\nleft {} dropped {}", counts.queued, counts.dropped);
            return;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let (client, run) = (client.clone(), run.to_owned());
            tasks.spawn(async move {
                for number in 0..EACH {
                    let entity = format!("{run}-{task}-{number}");
                    let ctx = Context::new(entity.as_str());
                    let evaluation = client.local().evaluate("a", &ctx);
                    client.expose(&evaluation, &ctx).await.unwrap();
                    println!("\nkept {entity}");
                }
                std::future::pending::<()>().await; // the blow is to come
            });
        }
        tasks.join_all().await;
    });
}

/// The process, and what it says.
struct Exposing {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Exposing {
    fn start(url: &str, folder: &Path, bytes: u64, run: &str) -> Self {
        let orders = format!("{url} {} {bytes} {run}", folder.display());
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "exposures_killed::the_process_that_is_killed", "--nocapture"])
            .env(ORDERS, orders)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Read as it comes: a process that nobody listens to stops.
        let output = BufReader::new(process.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines() {
                said.send(line.unwrap()).unwrap();
            }
        });
        Self { process, lines }
    }

    /// The rest of the next line that begins like this; `None` at the end.
    fn says(&self, what: &str) -> Option<String> {
        self.lines.iter().find_map(|it| Some(it.strip_prefix(what)?.to_owned()))
    }

    /// Kills it, and gives what else was kept.
    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap(); // SIGKILL
        let rest = std::iter::from_fn(|| self.says("kept ")).collect();
        self.process.wait().unwrap();
        rest
    }
}

/// Spins a little, so that the blow falls in the midst of something else each time.
fn for_a_moment(random: &mut u64) {
    *random =
        random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    for _ in 0..(*random >> 46) {
        std::hint::spin_loop();
    }
}

/// Has the process killed so often, and gives what was kept, what Flagr saw, and how many were dropped. Each kill may repeat
/// one batch.
fn check(kills: usize, bytes: u64) -> (BTreeSet<String>, BTreeMap<String, u32>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (flagr, url) = Flagr::start();
    let (mut kept, mut repeats) = (BTreeSet::new(), Vec::new());
    let mut random = 7;
    for run in 0..kills {
        // In every other run Flagr is back before the end, so that batches are on their way then.
        flagr.set_away(true);
        // It takes none between two kills that may have left a batch on its way.
        repeats.push(flagr.take_repeated());
        let exposing = Exposing::start(&url, folder.path(), bytes, &run.to_string());
        kept.extend((0..800).map_while(|_| exposing.says("kept ")));
        if run % 2 == 1 {
            let before = flagr.seen().len();
            flagr.set_away(false);
            flagr.wait_for(before + 3 * BATCH);
        }
        for_a_moment(&mut random);
        kept.extend(exposing.kill());
    }
    flagr.set_away(true);
    repeats.push(flagr.take_repeated());
    flagr.set_away(false);
    let mut last = Exposing::start(&url, folder.path(), bytes, "flush");
    let end = last.says("left ").unwrap();
    let (left, dropped) = end.split_once(" dropped ").unwrap();
    assert_eq!(left, "0");
    last.process.wait().unwrap();
    repeats.push(flagr.take_repeated());
    assert!(repeats.iter().all(|it| *it <= BATCH), "{repeats:?}");
    (kept, flagr.seen(), dropped.parse().unwrap())
}

#[test]
fn what_was_kept_arrives_and_a_kill_repeats_one_batch_at_most() {
    let kills = 6;
    let (kept, seen, dropped) = check(kills, 64 << 20);
    assert!(kept.len() >= kills * 800, "{}", kept.len());
    let missing: Vec<_> = kept.iter().filter(|it| !seen.contains_key(*it)).collect();
    assert!(missing.is_empty(), "{} missing: {:?}", missing.len(), missing.first());
    println!("{} kept, {} seen after {kills} kills", kept.len(), seen.len());
    assert_eq!(dropped, 0);
}

#[test]
fn what_had_no_room_is_counted_over_every_kill() {
    let kills = 4;
    let (kept, seen, dropped) = check(kills, 64 << 10);
    let missing = kept.iter().filter(|it| !seen.contains_key(*it)).count() as u64;
    println!("{} kept, {missing} missing, {dropped} dropped", kept.len());
    assert!(0 < missing && missing <= dropped, "{missing} missing, {dropped} dropped");
}
