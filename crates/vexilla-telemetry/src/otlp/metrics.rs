//! The instruments, as OpenTelemetry has them.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};
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

/// Takes what is measured. What is counted is read when it is sent.
#[derive(Debug)]
pub(super) struct Metrics {
    counts: Arc<Counts>,
    evaluation: Histogram<f64>,
    refresh: Histogram<f64>,
    remote: Histogram<f64>,
    archive: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new(meter: &Meter, stats: &StatsReader, flags: Option<&Arc<FlagCounts>>) -> Self {
        let counts = Arc::new(Counts::default());
        for instrument in INSTRUMENTS {
            let reader = Reader {
                stats: stats.clone(),
                counts: Arc::clone(&counts),
                flags: flags.map(Arc::clone),
            };
            register(meter, instrument, reader);
        }
        Self {
            counts,
            evaluation: histogram(meter, &EVALUATION),
            refresh: histogram(meter, &REFRESH),
            remote: histogram(meter, &REMOTE),
            archive: histogram(meter, &ARCHIVE),
        }
    }
}

impl Observer for Metrics {
    fn refreshed(&self, outcome: RefreshOutcome, took: Duration) {
        record(&self.refresh, outcome.as_str(), took);
    }

    fn remote_evaluated(&self, outcome: RemoteOutcome, took: Duration) {
        record(&self.remote, outcome.as_str(), took);
    }

    fn cache_read(&self, read: CacheRead) {
        count(&self.counts.cache, read as usize);
    }

    fn evaluation_sampled(&self, took: Duration) {
        self.evaluation.record(took.as_secs_f64(), &[]);
    }

    fn wants_samples(&self) -> bool {
        true
    }

    fn breaker_changed(&self, _from: BreakerState, to: BreakerState) {
        count(&self.counts.breaker, to as usize);
    }

    fn archived(&self, outcome: ArchiveOutcome, took: Duration) {
        count(&self.counts.archive, outcome as usize);
        record(&self.archive, outcome.as_str(), took);
    }

    fn webhook_received(&self, outcome: WebhookOutcome) {
        count(&self.counts.webhook, outcome as usize);
    }
}

/// Everything that an instrument is read from.
struct Reader {
    stats: StatsReader,
    counts: Arc<Counts>,
    flags: Option<Arc<FlagCounts>>,
}

impl Reader {
    fn read<T>(
        &self,
        read: fn(&Reading<'_>) -> Vec<Point<T>>,
        mut tell: impl FnMut(T, &[KeyValue]),
    ) {
        let stats = self.stats.read();
        let flags = self.flags.as_deref();
        for point in read(&Reading { stats: &stats, counts: &self.counts, flags }) {
            let labels = point.labels.into_iter();
            let attributes: Vec<_> = labels.map(|(key, value)| KeyValue::new(key, value)).collect();
            tell(point.value, &attributes);
        }
    }
}

fn register(meter: &Meter, instrument: &Instrument, reader: Reader) {
    let Instrument { name, unit, help, read } = *instrument;
    match read {
        Read::Counter(read) => {
            let builder = meter.u64_observable_counter(name).with_unit(unit).with_description(help);
            let callback = move |observer: &dyn AsyncInstrument<u64>| {
                reader.read(read, |value, attributes| observer.observe(value, attributes));
            };
            builder.with_callback(callback).build();
        }
        Read::Gauge(read) => {
            let builder = meter.f64_observable_gauge(name).with_unit(unit).with_description(help);
            let callback = move |observer: &dyn AsyncInstrument<f64>| {
                reader.read(read, |value, attributes| observer.observe(value, attributes));
            };
            builder.with_callback(callback).build();
        }
    }
}

fn histogram(meter: &Meter, timer: &Timer) -> Histogram<f64> {
    meter
        .f64_histogram(timer.name)
        .with_unit(SECONDS)
        .with_description(timer.help)
        .with_boundaries(timer.bounds.to_vec())
        .build()
}

fn record(histogram: &Histogram<f64>, outcome: &'static str, took: Duration) {
    histogram.record(took.as_secs_f64(), &[KeyValue::new(OUTCOME, outcome)]);
}
