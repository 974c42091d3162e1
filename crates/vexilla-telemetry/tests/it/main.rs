//! Telemetry against real collectors in this process, and against none.
#![cfg(feature = "otel")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod away;
mod client_certificate;
mod collector;
mod metrics;
mod over_http;
#[cfg(feature = "prometheus")]
mod packaging;
mod traces;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use vexilla_domain::{
    ArchiveLayer, ArchiveOutcome, BreakerState, CacheCounts, CacheRead, Clock, Observer,
    QueueCounts, Reason, RefreshOutcome, RemoteOutcome, Source, Stats, WebhookOutcome,
};
use vexilla_telemetry::{FlagCounts, Otlp, OtlpSettings, StatsReader};

#[test]
fn handles_can_be_shared() {
    fn check<T: Send + Sync>() {}
    check::<Otlp>();
    check::<FlagCounts>();
    check::<StatsReader>();
    #[cfg(feature = "prometheus")]
    check::<vexilla_telemetry::Prometheus>();
    #[cfg(feature = "logs")]
    check::<vexilla_telemetry::LogLevel>();
}

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Sends nothing by itself before the end.
fn start(settings: &OtlpSettings) -> Otlp {
    start_with(settings, 1)
}

/// The same with so many flags, each of them shown and evaluated once.
fn start_with(settings: &OtlpSettings, shown: usize) -> Otlp {
    let flags = Arc::new(FlagCounts::new(shown));
    flags.add(flags.slot("dark-mode"));
    for number in 1..shown {
        flags.add(flags.slot(&format!("flag-{number}")));
    }
    let mut settings = settings.clone();
    settings.interval = Duration::from_secs(3600);
    settings.span_delay = Duration::from_secs(3600);
    Otlp::start(&settings, &StatsReader::new(stats), Some(&flags), &clock()).unwrap()
}

fn stats() -> Stats {
    let mut stats = Stats::default();
    stats.evaluations =
        vec![(Source::Local, Reason::Static, 7), (Source::Fallback, Reason::Fallback, 1)];
    stats.refreshes = 11;
    stats.failures = 4;
    stats.consecutive_failures = 2;
    stats.stale = true;
    stats.breaker = Some("open".into());
    stats.age = Some(Duration::from_millis(1500));
    stats.flags = 100;
    stats.quarantined = 5;
    stats.savings.filtered_flags = 6;
    stats.lost_records = 2;
    stats.document_bytes = 4096;
    stats.exposures = Some(queue([7, 700, 100, 8, 3, 2]));
    stats.replays = Some(queue([9, 900, 200, 6, 1, 0]));
    stats.remote_cache = Some(cache([30, 1, 20, 15, 5, 4, 10, 2_000, 3_000]));
    stats.bodies = Some(cache([300, 2, 200, 150, 50, 40, 100, 20_000, 30_000]));
    stats.leads = Some(true);
    let mut redis = ArchiveLayer::new("redis 127.0.0.1:6379/0");
    redis.error = Some("redis 127.0.0.1:6379/0 cannot be reached".into());
    stats.archives = vec![redis, ArchiveLayer::new("/var/cache/vexilla")];
    stats
}

/// Those that wait, their bytes, and those sent, dropped, refused one by one, and rejected.
fn queue([queued, bytes, sent, dropped, row_errors, rejected]: [u64; 6]) -> QueueCounts {
    let mut counts = QueueCounts::default();
    (counts.queued, counts.bytes, counts.sent) = (queued, bytes, sent);
    (counts.dropped, counts.row_errors, counts.rejected) = (dropped, row_errors, rejected);
    counts
}

/// Hits and those of them that were stale, misses, insertions that were let in and that were not, evictions, entries and
/// their bytes, and how many these may be.
fn cache(counts: [u64; 9]) -> CacheCounts {
    let mut cache = CacheCounts::default();
    let [hits, stale_hits, misses, admitted, rejected, evicted, entries, bytes, most] = counts;
    (cache.hits, cache.stale_hits, cache.misses) = (hits, stale_hits, misses);
    (cache.admitted, cache.rejected, cache.evicted) = (admitted, rejected, evicted);
    (cache.entries, cache.bytes, cache.max_bytes) = (entries, bytes, most);
    cache
}

/// Measures everything once.
fn measure(observer: &dyn Observer) {
    observer.refreshed(RefreshOutcome::Changed, Duration::from_millis(250));
    observer.remote_evaluated(RemoteOutcome::Failed, Duration::from_millis(500));
    observer.cache_read(CacheRead::Hit);
    observer.evaluation_sampled(Duration::from_secs(1));
    observer.breaker_changed(BreakerState::Closed, BreakerState::Open);
    observer.archived(ArchiveOutcome::Saved, Duration::from_secs(2));
    observer.webhook_received(WebhookOutcome::Accepted);
}
