//! What does an outage cost an evaluation, and what is Flagr spared?
//!
//! - With Flagr accepting connections and never answering, a local evaluation against one with Flagr healthy.
//! - A remote evaluation with the breaker open, which is decided here at once, against one that Flagr answers.
//! - Requests and bytes of a refresh at which nothing has changed.
//! - The scenario of the design that Vexilla starts from: 10,000 flags of which 95 % need no bucket, 1,000 evaluations a
//!   second for ten seconds; requests that reach Flagr against one for each evaluation.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vexilla::{BreakerConfig, Client, FlagrConfig, Source};
use vexilla_benches::flagr::Flagr;
use vexilla_benches::row::Row;
use vexilla_benches::{cpu, flags};
use vexilla_domain::{Context, Flag};

async fn client_of(flagr: &Flagr, open_for: Duration) -> Client {
    let mut config = FlagrConfig::new(&flagr.address);
    config.timeout = Duration::from_millis(500);
    config.evaluation_timeout = Duration::from_millis(500);
    config.retries = 0;
    let mut breaker = BreakerConfig::default();
    breaker.open_for = open_for;
    let builder = Client::builder().flagr_with(config).breaker(breaker);
    builder.no_remote_cache().refresh_interval(Duration::from_millis(200)).start().await.unwrap()
}

/// Flags as a live Flagr has them.
fn numbered(count: usize, remote_every: usize) -> Vec<Flag> {
    let mut plain = flags::many(count, flags::PLAIN);
    let split = flags::many(count, flags::SPLIT);
    for (at, flag) in plain.iter_mut().enumerate() {
        if at % remote_every == remote_every - 1 {
            *flag = split.get(at).unwrap().clone();
        }
        flag.snapshot_id.0 = 7;
    }
    plain
}

/// Nanoseconds of CPU time for one local evaluation through the awaited call.
async fn local(client: &Client, ctx: &Context) -> f64 {
    const EVALUATIONS: u32 = 1_000_000;
    let before = cpu::time();
    for _ in 0..EVALUATIONS {
        let on = client.evaluate_with(black_box("flag-0"), black_box(ctx), |it| {
            it.variant_key() == Some("on")
        });
        assert!(on.await);
    }
    (cpu::time() - before) / f64::from(EVALUATIONS)
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        outage().await;
        unchanged().await;
        scenario().await;
    });
}

async fn unchanged() {
    const REFRESHES: u64 = 20;
    let flagr = Flagr::start(&numbered(1_000, 20)).await;
    let client = client_of(&flagr, Duration::from_secs(30)).await;
    let revision = client.stats().revision;
    let now = || {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        (client.stats().refreshes, count(&flagr.requests), count(&flagr.bytes))
    };
    let before = now();
    while now().0 < before.0 + REFRESHES {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = now();
    assert_eq!(client.stats().revision, revision, "nothing is compiled");
    client.stop().await;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let each = |sum: u64| sum as f64 / (after.0 - before.0) as f64;
    let work = "requests of a refresh that changes nothing, 1,000 flags";
    Row::new(work, "requests", each(after.1 - before.1)).at_most(1.0).report();
    let work = "bytes of a refresh that changes nothing, 1,000 flags";
    Row::new(work, "bytes", each(after.2 - before.2)).at_most(1_000.0).report();
}

async fn outage() {
    let flagr = Flagr::start(&numbered(100, 20)).await;
    let client = client_of(&flagr, Duration::from_millis(1)).await;
    let ctx = flags::context();
    let (mut well, mut silent) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        flagr.silent.store(false, Ordering::Relaxed);
        while client.refresh().await.is_err() {}
        well.push(local(&client, &ctx).await);
        flagr.silent.store(true, Ordering::Relaxed);
        assert!(client.refresh().await.is_err());
        silent.push(local(&client, &ctx).await);
    }
    client.stop().await;
    cpu::report("a local evaluation, Flagr silent", "Flagr healthy", 1.05, silent, well);

    flagr.silent.store(false, Ordering::Relaxed);
    let client = client_of(&flagr, Duration::from_secs(600)).await;
    flagr.silent.store(true, Ordering::Relaxed);
    while client.stats().breaker.as_deref() != Some("open") {
        assert_eq!(client.evaluate("flag-19", &ctx).await.source, Source::Standby);
    }
    let before = cpu::time();
    for _ in 0..10_000 {
        assert_eq!(client.evaluate("flag-19", &ctx).await.source, Source::Standby);
    }
    let each = (cpu::time() - before) / 10_000.0;
    Row::new("a flag of Flagr's with the breaker open, decided here", "ns of CPU", each).report();
    client.stop().await;
}

async fn scenario() {
    const EVALUATIONS: u64 = 10_000;
    let flagr = Flagr::start(&numbered(10_000, 20)).await;
    let client = client_of(&flagr, Duration::from_secs(30)).await;
    let ctx = flags::context();
    let before = flagr.requests.load(Ordering::Relaxed);
    for n in 0..EVALUATIONS {
        let key = format!("flag-{}", n * 7919 % 10_000);
        assert_eq!(client.evaluate(&key, &ctx).await.variant_key(), Some("on"));
    }
    let requests = flagr.requests.load(Ordering::Relaxed) - before;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let saved = 100.0 - requests as f64 / EVALUATIONS as f64 * 100.0;
    let work = "evaluations that need no request, 95 % of 10,000 flags without a bucket";
    Row::new(work, "%", saved).at_least(94.9).report();
    client.stop().await;
}
