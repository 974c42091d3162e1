//! What `prometheus` promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use prometheus_parse::{Scrape, Value};
use vexilla_domain::{ArchiveLayer, CacheCounts, QueueCounts, Reason, Source, Stats};

use super::*;

fn stats() -> Stats {
    let mut stats = Stats::default();
    stats.evaluations = vec![
        (Source::Local, Reason::TargetingMatch, 7),
        (Source::Standby, Reason::Split, 2),
        (Source::Remote, Reason::Split, 3),
        (Source::Fallback, Reason::Fallback, 1),
    ];
    stats.refreshes = 11;
    stats.failures = 4;
    stats.consecutive_failures = 2;
    stats.stale = true;
    stats.breaker = Some("half-open".into());
    stats.age = Some(Duration::from_millis(1500));
    stats.flags = 100;
    stats.quarantined = 5;
    stats.savings.filtered_flags = 6;
    stats.lost_records = 2;
    stats.document_bytes = 4096;
    stats.exposures = Some(queue([7, 700, 100, 8, 3, 2]));
    stats.replays = Some(queue([9, 900, 200, 6, 1, 0]));
    stats.remote_cache = Some(cache([30, 1, 20, 15, 5, 4, 10, 2_000, 3_000]));
    stats.bodies = Some(cache([300, 0, 200, 150, 50, 40, 100, 20_000, 30_000]));
    stats.leads = Some(false);
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

/// A client that used everything once.
fn used() -> Prometheus {
    let flags = Arc::new(FlagCounts::new(1));
    flags.add(flags.slot("a \"quoted\" flag"));
    let prometheus = Prometheus::with_flags(StatsReader::new(stats), flags);
    prometheus.refreshed(RefreshOutcome::Changed, Duration::from_millis(30));
    prometheus.remote_evaluated(RemoteOutcome::Failed, Duration::from_millis(3));
    prometheus.cache_read(CacheRead::Stale);
    prometheus.evaluation_sampled(Duration::from_nanos(300));
    prometheus.breaker_changed(BreakerState::Closed, BreakerState::Open);
    prometheus.archived(ArchiveOutcome::Saved, Duration::from_secs(2));
    prometheus.webhook_received(WebhookOutcome::Unauthorized);
    prometheus
}

fn parse(text: &str) -> Scrape {
    Scrape::parse(text.lines().map(|it| Ok(it.to_owned()))).unwrap()
}

/// Every sample that is no histogram, as `name{label=value}`.
fn values(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    for sample in parse(text).samples {
        let labels: BTreeMap<_, _> = sample.labels.iter().collect();
        let mut name = sample.metric.clone();
        for (label, value) in labels {
            write!(name, "{{{label}={value}}}").unwrap();
        }
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) => {
                assert_eq!(values.insert(name, value), None);
            }
            Value::Histogram(_) => {}
            // The parser knows a histogram's buckets only.
            Value::Untyped(_)
                if name.contains("_seconds_sum") || name.contains("_seconds_count") => {}
            other => panic!("{name} is {other:?}"),
        }
    }
    values
}

#[test]
fn what_is_counted_is_shown() {
    let text = used().render();
    let values = values(&text);
    let expected = [
        ("vexilla_cache_hits_total", 9.0),
        ("vexilla_cache_misses_total", 4.0),
        ("vexilla_evaluations_total{reason=TARGETING_MATCH}{source=local}{strategy=local}", 7.0),
        ("vexilla_evaluations_total{reason=SPLIT}{source=standby}{strategy=remote}", 2.0),
        ("vexilla_evaluations_total{reason=SPLIT}{source=remote}{strategy=remote}", 3.0),
        ("vexilla_evaluations_total{reason=FALLBACK}{source=fallback}{strategy=none}", 1.0),
        ("vexilla_flag_evaluations_total{flag=other}", 0.0),
        ("vexilla_records_lost_total", 2.0),
        ("vexilla_refresh_success_total", 11.0),
        ("vexilla_refresh_failure_total", 4.0),
        ("vexilla_refresh_consecutive_failures", 2.0),
        ("vexilla_circuit_state", 2.0),
        ("vexilla_circuit_transitions_total{state=open}", 1.0),
        ("vexilla_circuit_transitions_total{state=half-open}", 0.0),
        ("vexilla_ruleset_age_seconds", 1.5),
        ("vexilla_ruleset_stale", 1.0),
        ("vexilla_ruleset_flags", 100.0),
        ("vexilla_ruleset_document_bytes", 4096.0),
        ("vexilla_flags_quarantined", 5.0),
        ("vexilla_flags_filtered", 6.0),
        ("vexilla_remote_cache_reads_total{outcome=stale}", 1.0),
        ("vexilla_remote_cache_insertions_total", 20.0),
        ("vexilla_remote_cache_rejections_total", 5.0),
        ("vexilla_remote_cache_evictions_total", 4.0),
        ("vexilla_remote_cache_entries", 10.0),
        ("vexilla_remote_cache_size_bytes", 2_000.0),
        ("vexilla_remote_cache_limit_bytes", 3_000.0),
        ("vexilla_bodies_reads_total{outcome=hit}", 300.0),
        ("vexilla_bodies_reads_total{outcome=stale}", 0.0),
        ("vexilla_bodies_reads_total{outcome=miss}", 200.0),
        ("vexilla_bodies_insertions_total", 200.0),
        ("vexilla_bodies_rejections_total", 50.0),
        ("vexilla_bodies_evictions_total", 40.0),
        ("vexilla_bodies_entries", 100.0),
        ("vexilla_bodies_size_bytes", 20_000.0),
        ("vexilla_bodies_limit_bytes", 30_000.0),
        ("vexilla_archive_saves_total{outcome=saved}", 1.0),
        ("vexilla_archive_failing{archive=redis 127.0.0.1:6379/0}", 1.0),
        ("vexilla_archive_failing{archive=/var/cache/vexilla}", 0.0),
        ("vexilla_archive_leads", 0.0),
        ("vexilla_webhook_received_total{outcome=unauthorized}", 1.0),
        ("vexilla_exposures_sent_total", 100.0),
        ("vexilla_exposures_dropped_total", 8.0),
        ("vexilla_exposures_refused_total", 3.0),
        ("vexilla_exposures_rejected_total", 2.0),
        ("vexilla_exposures_queued", 7.0),
        ("vexilla_exposures_queue_size_bytes", 700.0),
        ("vexilla_replays_sent_total", 200.0),
        ("vexilla_replays_dropped_total", 6.0),
        ("vexilla_replays_refused_total", 1.0),
        ("vexilla_replays_queued", 9.0),
        ("vexilla_replays_queue_size_bytes", 900.0),
    ];
    for (name, value) in expected {
        assert_eq!(values.get(name), Some(&value), "{name} in\n{text}");
    }
    let quoted = r#"vexilla_flag_evaluations_total{flag="a \"quoted\" flag"} 1"#;
    assert!(text.lines().any(|it| it == quoted), "{text}");
}

#[test]
fn what_is_measured_is_shown() {
    let scrape = parse(&used().render());
    let expected = [
        ("vexilla_evaluation_duration_seconds", None, 5e-7),
        ("vexilla_refresh_duration_seconds", Some("changed"), 0.05),
        ("vexilla_remote_duration_seconds", Some("failed"), 0.005),
        ("vexilla_archive_duration_seconds", Some("saved"), 2.5),
    ];
    for (name, outcome, bound) in expected {
        let sample = scrape
            .samples
            .iter()
            .find(|it| it.metric == name && it.labels.get(OUTCOME) == outcome)
            .unwrap_or_else(|| panic!("no {name} of {outcome:?}"));
        let Value::Histogram(buckets) = &sample.value else { panic!("{sample:?}") };
        let first = buckets.iter().find(|it| it.count > 0.0).unwrap();
        assert!((first.less_than - bound).abs() < 1e-9, "{name}: {buckets:?}");
    }
}

#[test]
fn every_instrument_has_a_help_and_a_type_and_is_there_once() {
    let text = used().render();
    let of = |word: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|it| it.strip_prefix(word));
        lines.map(|it| it.split(' ').next().unwrap().to_owned()).collect()
    };
    let (helps, types) = (of("# HELP "), of("# TYPE "));
    assert_eq!(helps, types);
    assert_eq!(types.len(), INSTRUMENTS.len() + 4, "{types:?}");
    assert_eq!(types.iter().collect::<BTreeSet<_>>().len(), types.len());
    for (name, help) in parse(&text).docs {
        assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
    }
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(types.iter().any(|it| name.starts_with(it.as_str())), "{line}");
    }
}

#[test]
fn an_unknown_state_is_no_state() {
    let text = Prometheus::new(StatsReader::later()).render();
    let values = values(&text);
    for name in [
        "vexilla_circuit_state",
        "vexilla_ruleset_age_seconds",
        "vexilla_archive_leads",
        "vexilla_exposures_dropped_total",
        "vexilla_remote_cache_entries",
        "vexilla_remote_cache_reads_total{outcome=miss}",
        "vexilla_bodies_reads_total{outcome=miss}",
    ] {
        assert_eq!(values.get(name), None, "{text}");
    }
    assert_eq!(values.get("vexilla_cache_hits_total"), Some(&0.0));
    assert!(!text.contains("vexilla_flag_evaluations"), "{text}");
}

#[test]
fn statistics_may_come_later() {
    let stats_later = StatsReader::later();
    let prometheus = Prometheus::new(stats_later.clone());
    assert_eq!(values(&prometheus.render()).get("vexilla_ruleset_flags"), Some(&0.0));
    stats_later.provide(stats);
    stats_later.provide(Stats::default); // only the first counts
    assert_eq!(values(&prometheus.render()).get("vexilla_ruleset_flags"), Some(&100.0));
}
