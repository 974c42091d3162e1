//! Values out of what instruments are read from.

use std::sync::atomic::{AtomicU64, Ordering};

use vexilla_domain::{
    ArchiveLayer, BreakerState, CacheCounts, CacheRead, QueueCounts, Reason, Source, Strategy,
};

use super::{OUTCOME, Point, Reading};

pub(super) fn evaluations(&(source, reason, value): &(Source, Reason, u64)) -> Point<u64> {
    let strategy = match source {
        Source::Local => Strategy::Local.as_str(),
        Source::Standby | Source::Remote | Source::RemoteCached => Strategy::Remote.as_str(),
        _ => "none", // nobody decided
    };
    let labels = vec![
        ("strategy", strategy.into()),
        ("source", source.as_str().into()),
        ("reason", reason.as_str().into()),
    ];
    Point { labels, value }
}

pub(super) fn flag_evaluations(reading: &Reading<'_>) -> Vec<Point<u64>> {
    let Some(flags) = reading.flags else { return Vec::new() };
    let uses = flags.collect().into_iter();
    uses.map(|(flag, value)| Point { labels: vec![("flag", flag.into())], value }).collect()
}

pub(super) fn circuit_state(reading: &Reading<'_>) -> Vec<Point<f64>> {
    let Some(breaker) = reading.stats.breaker.as_deref() else { return Vec::new() };
    let place = BreakerState::ALL.iter().position(|it| it.as_str() == breaker);
    place.map(|place| point(real(place as u64))).into_iter().collect()
}

pub(super) fn failing(archive: &ArchiveLayer) -> Point<f64> {
    let labels = vec![("archive", archive.name.to_string().into())];
    Point { labels, value: yes(archive.error.is_some()) }
}

/// A value of a queue, if there is one.
pub(super) fn queue<T>(
    counts: Option<&QueueCounts>,
    read: impl Fn(&QueueCounts) -> T,
) -> Vec<Point<T>> {
    counts.map(|it| point(read(it))).into_iter().collect()
}

/// A value of a bounded cache, if there is one.
pub(super) fn cache<T>(
    counts: Option<&CacheCounts>,
    read: impl Fn(&CacheCounts) -> T,
) -> Vec<Point<T>> {
    counts.map(|it| point(read(it))).into_iter().collect()
}

pub(super) fn reads(counts: Option<&CacheCounts>) -> Vec<Point<u64>> {
    let Some(counts) = counts else { return Vec::new() };
    let values = [
        (CacheRead::Hit, counts.hits.saturating_sub(counts.stale_hits)),
        (CacheRead::Stale, counts.stale_hits),
        (CacheRead::Miss, counts.misses),
    ];
    let points =
        values.map(|(read, value)| Point { labels: vec![(OUTCOME, read.as_str().into())], value });
    points.into()
}

/// All of them: an insertion that waits for its verdict counts as admitted, so that those alone would not only grow.
pub(super) fn insertions(counts: &CacheCounts) -> u64 {
    counts.admitted + counts.rejected
}

pub(super) fn by_word(
    label: &'static str,
    words: impl Iterator<Item = &'static str>,
    counters: &[AtomicU64],
) -> Vec<Point<u64>> {
    let points = words.zip(counters).map(|(word, counter)| Point {
        labels: vec![(label, word.into())],
        value: counter.load(Ordering::Relaxed),
    });
    points.collect()
}

pub(super) fn one<T>(value: T) -> Vec<Point<T>> {
    vec![point(value)]
}

pub(super) fn point<T>(value: T) -> Point<T> {
    Point { labels: Vec::new(), value }
}

pub(super) fn yes(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[expect(clippy::cast_precision_loss, reason = "no count of flags or bytes comes near 2^53")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
