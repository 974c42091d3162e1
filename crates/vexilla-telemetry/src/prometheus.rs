//! Metrics as Prometheus text.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use vexilla_domain::{
    ArchiveOutcome, BreakerState, CacheRead, Observer, RefreshOutcome, RemoteOutcome,
    WebhookOutcome,
};

use crate::counts::{Counts, count};
use crate::instruments::{
    ARCHIVE, EVALUATION, INSTRUMENTS, Instrument, OUTCOME, Point, REFRESH, REMOTE, Read, Reading,
    SECONDS, Timer,
};
use crate::{FlagCounts, StatsReader};

/// Metrics for Prometheus: what a client counts is read when somebody asks, what it measures is taken as an
/// [`Observer`].
#[derive(Debug)]
pub struct Prometheus {
    registry: Registry,
    metrics: Arc<Metrics>,
}

impl Prometheus {
    /// The media type of what [`render`](Self::render) gives.
    pub const CONTENT_TYPE: &'static str =
        prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

    /// Shows these statistics.
    pub fn new(stats: StatsReader) -> Self {
        Self::build(stats, None)
    }

    /// Shows these statistics, and the use of single flags.
    pub fn with_flags(stats: StatsReader, flags: Arc<FlagCounts>) -> Self {
        Self::build(stats, Some(flags))
    }

    fn build(stats: StatsReader, flags: Option<Arc<FlagCounts>>) -> Self {
        let metrics = Arc::new(Metrics {
            stats,
            flags,
            counts: Counts::default(),
            evaluation: histogram(&EVALUATION),
            refresh: RefreshOutcome::ALL.iter().map(|_| histogram(&REFRESH)).collect(),
            remote: RemoteOutcome::ALL.iter().map(|_| histogram(&REMOTE)).collect(),
            archive: ArchiveOutcome::ALL.iter().map(|_| histogram(&ARCHIVE)).collect(),
        });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&metrics)));
        Self { registry, metrics }
    }

    /// All metrics as they are now, in version 0.0.4 of the text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string fails only where an encoder does, and ours pass on nothing else.
        match prometheus_client::encoding::prometheus_text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written as text");
                String::new()
            }
        }
    }
}

impl Observer for Prometheus {
    fn refreshed(&self, outcome: RefreshOutcome, took: Duration) {
        observe(&self.metrics.refresh, outcome as usize, took);
    }

    fn remote_evaluated(&self, outcome: RemoteOutcome, took: Duration) {
        observe(&self.metrics.remote, outcome as usize, took);
    }

    fn cache_read(&self, read: CacheRead) {
        count(&self.metrics.counts.cache, read as usize);
    }

    fn evaluation_sampled(&self, took: Duration) {
        self.metrics.evaluation.observe(took.as_secs_f64());
    }

    fn wants_samples(&self) -> bool {
        true
    }

    fn breaker_changed(&self, _from: BreakerState, to: BreakerState) {
        count(&self.metrics.counts.breaker, to as usize);
    }

    fn archived(&self, outcome: ArchiveOutcome, took: Duration) {
        count(&self.metrics.counts.archive, outcome as usize);
        observe(&self.metrics.archive, outcome as usize, took);
    }

    fn webhook_received(&self, outcome: WebhookOutcome) {
        count(&self.metrics.counts.webhook, outcome as usize);
    }
}

#[derive(Debug)]
struct Metrics {
    stats: StatsReader,
    flags: Option<Arc<FlagCounts>>,
    counts: Counts,
    evaluation: Histogram,
    refresh: Box<[Histogram]>,
    remote: Box<[Histogram]>,
    archive: Box<[Histogram]>,
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let stats = self.stats.read();
        let flags = self.flags.as_deref();
        let reading = Reading { stats: &stats, counts: &self.counts, flags };
        for instrument in INSTRUMENTS {
            write(&mut encoder, instrument, &reading)?;
        }
        let refresh = RefreshOutcome::ALL.iter().map(|it| it.as_str()).zip(&self.refresh);
        write_timer(&mut encoder, &REFRESH, refresh)?;
        let remote = RemoteOutcome::ALL.iter().map(|it| it.as_str()).zip(&self.remote);
        write_timer(&mut encoder, &REMOTE, remote)?;
        let archive = ArchiveOutcome::ALL.iter().map(|it| it.as_str()).zip(&self.archive);
        write_timer(&mut encoder, &ARCHIVE, archive)?;
        let name = name(EVALUATION.name);
        let unit = unit(SECONDS);
        let kind = MetricType::Histogram;
        let encoder = encoder.encode_descriptor(&name, EVALUATION.help, unit.as_ref(), kind)?;
        self.evaluation.encode(encoder)
    }
}

fn write(
    encoder: &mut DescriptorEncoder<'_>,
    instrument: &Instrument,
    reading: &Reading<'_>,
) -> std::fmt::Result {
    let name = name(instrument.name);
    let unit = unit(instrument.unit);
    match instrument.read {
        Read::Counter(read) => {
            let points = read(reading);
            if points.is_empty() {
                return Ok(());
            }
            let (help, kind) = (instrument.help, MetricType::Counter);
            let encoder = encoder.encode_descriptor(&name, help, unit.as_ref(), kind)?;
            write_points(encoder, points, |mut it, value: u64| {
                it.encode_counter::<NoLabelSet, _, u64>(&value, None)
            })
        }
        Read::Gauge(read) => {
            let points = read(reading);
            if points.is_empty() {
                return Ok(());
            }
            let (help, kind) = (instrument.help, MetricType::Gauge);
            let encoder = encoder.encode_descriptor(&name, help, unit.as_ref(), kind)?;
            write_points(encoder, points, |mut it, value: f64| it.encode_gauge(&value))
        }
    }
}

fn write_points<T>(
    mut encoder: MetricEncoder<'_>,
    points: Vec<Point<T>>,
    write: impl Fn(MetricEncoder<'_>, T) -> std::fmt::Result,
) -> std::fmt::Result {
    for point in points {
        write(encoder.encode_family(&point.labels)?, point.value)?;
    }
    Ok(())
}

fn write_timer<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    timer: &Timer,
    histograms: impl Iterator<Item = (&'static str, &'a Histogram)>,
) -> std::fmt::Result {
    let name = name(timer.name);
    let unit = unit(SECONDS);
    let kind = MetricType::Histogram;
    let mut encoder = encoder.encode_descriptor(&name, timer.help, unit.as_ref(), kind)?;
    for (outcome, histogram) in histograms {
        histogram.encode(encoder.encode_family(&[(OUTCOME, outcome)])?)?;
    }
    Ok(())
}

fn histogram(timer: &Timer) -> Histogram {
    Histogram::new(timer.bounds.iter().copied())
}

fn observe(histograms: &[Histogram], place: usize, took: Duration) {
    if let Some(histogram) = histograms.get(place) {
        histogram.observe(took.as_secs_f64());
    }
}

/// The name as Prometheus wants it; units and `_total` are added where it is written.
fn name(name: &str) -> String {
    name.replace('.', "_")
}

/// The unit that becomes part of the name. What is only counted has none.
fn unit(unit: &str) -> Option<Unit> {
    match unit {
        SECONDS => Some(Unit::Seconds),
        "By" => Some(Unit::Bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
