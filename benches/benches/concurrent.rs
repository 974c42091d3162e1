//! What does a second thread, and publishing the rules ten times a second, add to an evaluation's CPU time?

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use vexilla::{Client, Config, Parts};
use vexilla_benches::row::is_quick;
use vexilla_benches::{cpu, flags};
use vexilla_domain::json::Document;
use vexilla_domain::{Context, Depth, Fetch, Flag, FlagSource, Marker, SourceError, Strictness};

/// A source that has something new each time.
#[derive(Debug)]
struct Restless {
    flags: Vec<Flag>,
    fetches: AtomicU64,
}

#[async_trait]
impl FlagSource for Restless {
    async fn fetch(&self, _: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        let count = self.fetches.fetch_add(1, Ordering::Relaxed);
        let mut flags = self.flags.clone();
        for flag in &mut flags {
            flag.notes = count.to_string().into();
        }
        let changed = Some(Document { flags, problems: Vec::new() });
        Ok(Fetch { changed, marker: Marker::default(), again_in: None })
    }

    fn describe(&self) -> String {
        "flags that always change".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::Checked
    }
}

const EVALUATIONS: u32 = 2_000_000;

/// Nanoseconds of CPU time for one evaluation on this thread.
fn run(client: &Client, ctx: &Context) -> f64 {
    let local = client.local();
    let before = cpu::time();
    for _ in 0..EVALUATIONS {
        local.evaluate_with(black_box("flag-0"), black_box(ctx), |it| {
            assert_eq!(it.variant_key(), Some("on"));
        });
    }
    (cpu::time() - before) / f64::from(EVALUATIONS)
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let source = Restless { flags: flags::many(100, flags::SPLIT), fetches: AtomicU64::new(0) };
    let client =
        runtime.block_on(Client::new(Parts::new(Arc::new(source)), Config::default())).unwrap();
    let ctx = flags::context();

    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..if is_quick() { 5 } else { 15 } {
        alone.push(run(&client, &ctx));
        let done = Arc::new(AtomicBool::new(false));
        let publisher = runtime.spawn({
            let (client, done) = (client.clone(), Arc::clone(&done));
            async move {
                while !done.load(Ordering::Relaxed) {
                    client.refresh().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
        thread::scope(|scope| {
            let other = scope.spawn(|| run(&client, &ctx));
            together.push(run(&client, &ctx));
            together.push(other.join().unwrap());
        });
        done.store(true, Ordering::Relaxed);
        runtime.block_on(publisher).unwrap();
    }
    let published = client.stats().revision.sequence;
    assert!(published > 5, "{published} publications");
    let work = "an evaluation on two threads, republished every 100 ms";
    cpu::report(work, "one thread alone", 1.05, together, alone);
}
