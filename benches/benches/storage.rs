//! What do the archive and the cache of answers cost, and what do they save?
//!
//! - From the start of a process to its first answer out of a folder with 10,000 flags, against merely parsing their
//!   export.
//! - An evaluation that Flagr answered before, against one that Flagr answers, on the loopback.
//! - An evaluation while another thread saves 10,000 flags again and again, against one while nothing is saved.
//! - The memory that 10,000 flags take in a process, once they came from a file and once from an archive.
//!
//! What a process of its own is needed for is asked of this program again, with the name of the question.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark reports, or ends"
)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{env, fs, thread};

use tokio::runtime::{Builder, Runtime};
use vexilla::{Client, Config, DiskArchive, DiskConfig, FlagrConfig, Parts, Source};
use vexilla_benches::flagr::Flagr;
use vexilla_benches::memory::{ask, resident};
use vexilla_benches::row::Row;
use vexilla_benches::source::Flags;
use vexilla_benches::{cpu, flags, ratio};
use vexilla_domain::{Archived, Context, FlagArchive, Revision};

const COUNT: usize = 10_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [question, folder] if question == "ready" => return ready(Path::new(folder)),
        [question, folder] if question == "memory" => return memory(Path::new(folder)),
        [question, folder] if question == "archived" => return archived(Path::new(folder)),
        _ => {}
    }
    let folder = tempfile::tempdir().unwrap();
    let export = flags::export(COUNT, flags::TARGETED);
    archive(folder.path(), &export);
    fs::write(folder.path().join("export.json"), &export).unwrap();

    ratio::report(
        "ready from disk with 10,000 flags, process start included",
        "serde_json into Value",
        3.0,
        || assert_eq!(ask("ready", folder.path()), "on"),
        || {
            let value: serde_json::Value = serde_json::from_slice(black_box(&export)).unwrap();
            drop(black_box(value));
        },
    );
    cached();
    saving(&export);
    for (question, origin) in [("memory", "a file"), ("archived", "an archive")] {
        let bytes = ask(question, folder.path());
        let work = format!("resident memory for each of 10,000 flags of {origin}");
        Row::new(&work, "bytes", bytes.parse().unwrap()).at_most(1536.0).report();
    }
}

/// The runtime of a service.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Fills the folder as a client does.
fn archive(folder: &Path, export: &[u8]) {
    runtime().block_on(async {
        let archive = Arc::new(DiskArchive::open(folder, DiskConfig::default()).unwrap());
        let source = Arc::new(Flags(Some(export.to_vec())));
        let parts = Parts::new(source).with_archive(archive);
        let client = Client::new(parts, Config::default()).await.unwrap();
        client.stop().await;
    });
}

async fn from_disk(folder: &Path) -> Client {
    let archive = Arc::new(DiskArchive::open(folder, DiskConfig::default()).unwrap());
    let parts = Parts::new(Arc::new(Flags(None))).with_archive(archive);
    Client::new(parts, Config::default()).await.unwrap()
}

fn answer(client: &Client) -> String {
    let key = format!("flag-{}", COUNT - 1);
    let evaluation = client.local().evaluate(&key, &flags::context());
    evaluation.variant_key().unwrap().to_owned()
}

/// Prints its first answer, and ends without further ado.
fn ready(folder: &Path) {
    let runtime = runtime();
    let client = runtime.block_on(from_disk(folder));
    println!("{}", answer(&client));
    std::process::exit(0);
}

/// Prints what the flags take, once they came from a file and once from an archive.
fn memory(folder: &Path) {
    let runtime = runtime();
    runtime.block_on(async { tokio::spawn(async {}).await.unwrap() });
    let empty = resident();
    let file = folder.join("export.json");
    let client = runtime.block_on(Client::builder().flags_file(file).start()).unwrap();
    assert_eq!(answer(&client), "on");
    let full = resident();
    runtime.block_on(client.stop());
    let each = |bytes: u64| bytes / COUNT as u64;
    println!("{}", each(full - empty));
}

/// The same from an archive.
fn archived(folder: &Path) {
    let runtime = runtime();
    runtime.block_on(async { tokio::spawn(async {}).await.unwrap() });
    let empty = resident();
    let client = runtime.block_on(from_disk(folder));
    assert_eq!(answer(&client), "on");
    let full = resident();
    println!("{}", (full - empty) / COUNT as u64);
    runtime.block_on(client.stop());
}

/// An answer that is held, against one that is fetched.
fn cached() {
    const REPEATS: u32 = 100;
    let runtime = runtime();
    let (with, without) = runtime.block_on(async {
        let mut split = flags::many(1, flags::SPLIT);
        split.first_mut().unwrap().snapshot_id.0 = 7;
        let flagr = Flagr::start(&split).await;
        let builder = || Client::builder().flagr_with(FlagrConfig::new(&flagr.address));
        let without = builder().no_remote_cache().start().await.unwrap();
        (builder().start().await.unwrap(), without)
    });
    let ctx = flags::context();
    let source = async |client: &Client, ctx: &Context| {
        client.evaluate_with("flag-0", ctx, |it| (it.variant_key() == Some("on"), it.source)).await
    };
    ratio::report(
        "100 evaluations that Flagr answered before",
        "one that it answers",
        1.0,
        || {
            runtime.block_on(async {
                for _ in 0..REPEATS {
                    let (on, source) = source(&with, black_box(&ctx)).await;
                    // Now and then it is asked ahead of time, or anew.
                    assert!(on && matches!(source, Source::RemoteCached | Source::Remote));
                }
            });
        },
        || {
            let answer = runtime.block_on(source(&without, black_box(&ctx)));
            assert_eq!(answer, (true, Source::Remote));
        },
    );
    let counts = with.stats().remote_cache.unwrap();
    assert!(counts.misses < counts.hits / 1_000, "{counts:?}");
    println!(
        "  of the cached ones {} were asked of Flagr, {} were not",
        counts.misses, counts.hits
    );
}

/// Evaluations beside saves.
fn saving(export: &[u8]) {
    const EVALUATIONS: u32 = 500_000;
    let (client, _runtime) = vexilla_benches::client(flags::many(COUNT, flags::TARGETED));
    let folder = tempfile::tempdir().unwrap();
    let archive = DiskArchive::open(folder.path(), DiskConfig::default()).unwrap();
    let document: Arc<[u8]> = export.into();
    let (saves, ctx) = (AtomicU64::new(0), flags::context());
    let evaluate = || {
        let before = cpu::time();
        for _ in 0..EVALUATIONS {
            let on = client.local().bool(black_box("flag-7"), black_box(&ctx), false);
            assert!(on);
        }
        (cpu::time() - before) / f64::from(EVALUATIONS)
    };
    let save = || {
        let sequence = saves.fetch_add(1, Ordering::Relaxed) + 1;
        let revision = Revision { epoch: 0, sequence };
        Archived { document: Arc::clone(&document), revision, ..Archived::default() }
    };
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    evaluate();
    for _ in 0..21 {
        quiet.push(evaluate());
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let saving = scope.spawn(|| {
                let runtime = Builder::new_current_thread().build().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    runtime.block_on(archive.save(&save())).unwrap();
                }
            });
            while saves.load(Ordering::Relaxed) == 0 {
                thread::yield_now();
            }
            busy.push(evaluate());
            stop.store(true, Ordering::Relaxed);
            saving.join().unwrap_or_else(|_| panic!("a save failed"));
        });
    }
    cpu::report("an evaluation while 10,000 flags are saved", "while not", 1.05, busy, quiet);
    println!("  {} saves meanwhile", saves.load(Ordering::Relaxed));
}
