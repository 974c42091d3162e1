//! How much memory do 100,000 flags take under a budget, against the budget and what is never displaced?
//!
//! The flags are archived first. Then a process of its own starts from the archive with next to no budget and evaluates
//! nothing: what it takes beyond an empty one is what is pinned. Another one has a budget of a tenth of the bodies, and
//! evaluates a few hundred thousand times, some flags more often than others.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reports, or ends"
)]

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use vexilla::{CacheConfig, Client, Config, DiskArchive, DiskConfig, Parts};
use vexilla_benches::flags;
use vexilla_benches::memory::{ask, resident};
use vexilla_benches::row::{Row, is_quick};
use vexilla_benches::source::Flags;

const MANY: usize = 100_000;

/// A tenth of what the bodies of so many flags take.
const BUDGET: u64 = 12 << 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [question, folder] if question == "archive" => return archive(Path::new(folder)),
        [question, folder] if question == "pinned" => return take(Path::new(folder), 1, 0),
        [question, folder] if question == "budget" => {
            let evaluations = if is_quick() { 60_000 } else { 300_000 };
            return take(Path::new(folder), BUDGET, evaluations);
        }
        _ => {}
    }
    let folder = tempfile::tempdir().unwrap();
    ask("archive", folder.path());
    let bytes = |question| ask(question, folder.path()).parse::<f64>().unwrap();
    let (pinned, all) = (bytes("pinned"), bytes("budget"));
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let expected = BUDGET as f64 + pinned;
    Row::new("resident memory of 100,000 flags under a budget of 12 MiB", "bytes", all)
        .against("the budget and what is pinned", expected)
        .at_most(1.2)
        .report();
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A build that is not optimised takes longer to read so many flags than a client usually waits for.
fn config() -> Config {
    let mut config = Config::default();
    config.initial_timeout = Duration::from_secs(600);
    config.miss_timeout = Duration::from_secs(600);
    config
}

/// Fills the folder as a client does.
fn archive(folder: &Path) {
    let export = flags::export(MANY, flags::TARGETED);
    runtime().block_on(async {
        let archive = Arc::new(DiskArchive::open(folder, DiskConfig::default()).unwrap());
        let parts = Parts::new(Arc::new(Flags(Some(export)))).with_archive(archive);
        let client = Client::new(parts, config()).await.unwrap();
        client.stop().await;
    });
}

/// Prints what the flags take under a budget.
fn take(folder: &Path, bytes: u64, evaluations: usize) {
    let runtime = runtime();
    runtime.block_on(async { tokio::spawn(async {}).await.unwrap() });
    let empty = resident();
    let archive = Arc::new(DiskArchive::open(folder, DiskConfig::default()).unwrap());
    let parts = Parts::new(Arc::new(Flags(None))).with_archive(archive);
    let parts = parts.with_memory_budget(&CacheConfig::with_budget(bytes)).unwrap();
    let client = runtime.block_on(Client::new(parts, config())).unwrap();
    let started = resident() - empty;
    let ctx = flags::context();
    runtime.block_on(async {
        let mut state = 1_u64;
        for _ in 0..evaluations {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let skewed = (state >> 33) as usize % MANY * ((state >> 13) as usize % MANY) / MANY;
            let key = format!("flag-{skewed}");
            assert!(client.bool(&key, &ctx, false).await, "{key}");
        }
    });
    println!("{}", resident() - empty);
    eprintln!("  {started} bytes after the start, then {:?}", client.stats().bodies.unwrap());
    runtime.block_on(client.stop());
}
