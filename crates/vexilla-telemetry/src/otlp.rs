//! Metrics and traces over OTLP.

mod environment;
mod error;
mod export;
mod metrics;
mod report;
mod settings;
mod tls;
mod trace_context;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{Instrument, PeriodicReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::sync::oneshot;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use vexilla_domain::{Clock, Observer};

use self::metrics::Metrics;
use self::report::Reports;
use crate::instruments::FLAG_EVALUATIONS;
use crate::{FlagCounts, StatsReader};

pub use self::environment::FromEnvironment;
pub use self::error::{SettingsError, ShutdownError};
pub use self::settings::{Compression, OtlpSettings, Protocol, Signal, Temporality};
pub use self::trace_context::{adopt, inject, trace_of};

/// The name of our instruments' and spans' scope.
const SCOPE: &str = "vexilla";
const STOPPER: &str = "vexilla-otlp-stop";

/// Sends metrics and traces to a collector, from threads of its own.
///
/// Nobody waits for the collector: spans go into a bounded queue and are dropped when that is full, counts are read when
/// it is time to send them. A collector that is away, slow or refusing is reported once per minute and signal at most.
pub struct Otlp {
    metrics: Option<SdkMeterProvider>,
    traces: Option<SdkTracerProvider>,
    observer: Arc<dyn Observer>,
    /// Of metrics and of traces, where they are on.
    reports: Vec<Arc<Reports>>,
}

impl Otlp {
    /// Starts sending. Must be called within a tokio runtime, which has to outlive it, where a signal goes over gRPC.
    ///
    /// `flags` are the counts by flag, where they are to be shown.
    ///
    /// # Errors
    ///
    /// When the settings cannot work. Whether the collector is there is not asked.
    pub fn start(
        settings: &OtlpSettings,
        stats: &StatsReader,
        flags: Option<&Arc<FlagCounts>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let resource = resource(settings);
        let mut all_reports = Vec::new();
        let mut reports = |name, signal| {
            let reports = Arc::new(Reports::new(name, signal, Arc::clone(clock)));
            all_reports.push(Arc::clone(&reports));
            reports
        };
        let mut observer: Arc<dyn Observer> = Arc::new(());
        let metrics = match &settings.metrics {
            None => None,
            Some(signal) => {
                let exporter =
                    export::metrics(signal, settings.temporality, &reports("metrics", signal))?;
                let reader = PeriodicReader::builder(exporter).with_interval(settings.interval);
                let provider = SdkMeterProvider::builder()
                    .with_reader(reader.build())
                    .with_resource(resource.clone())
                    .with_view(room_for(flags.map_or(0, |it| it.shown())))
                    .build();
                observer = Arc::new(Metrics::new(&provider.meter(SCOPE), stats, flags));
                Some(provider)
            }
        };
        let traces = match &settings.traces {
            None => None,
            Some(signal) => {
                let batches = BatchConfigBuilder::default()
                    .with_max_queue_size(settings.span_queue)
                    .with_max_export_batch_size(settings.span_batch)
                    .with_scheduled_delay(settings.span_delay)
                    .build();
                let exporter = export::traces(signal, &reports("traces", signal))?;
                let processor =
                    BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
                let ratio = Sampler::TraceIdRatioBased(settings.sampled);
                let sampler = if settings.follows_parent {
                    Sampler::ParentBased(Box::new(ratio))
                } else {
                    ratio
                };
                let provider = SdkTracerProvider::builder()
                    .with_span_processor(processor)
                    .with_sampler(sampler)
                    .with_resource(resource)
                    .build();
                Some(provider)
            }
        };
        Ok(Self { metrics, traces, observer, reports: all_reports })
    }

    /// Takes what a client measures. It may outlive this, and is of no use then.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.observer)
    }

    /// Turns spans of Vexilla's own crates into traces; those of others, the exporter's own among them, are left out.
    /// `None` where traces are off.
    pub fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let tracer = self.traces.as_ref()?.tracer(SCOPE);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        let ours = Targets::new()
            .with_target(SCOPE, Level::INFO)
            .with_target(crate::flag_event::TARGET, Level::DEBUG);
        Some(Box::new(layer.with_filter(ours)))
    }

    /// How often something could not be sent.
    pub fn failures(&self) -> u64 {
        self.reports.iter().map(|it| it.failures()).sum()
    }

    /// Sends what is left and stops. Returns after `limit` at the latest; what is not sent by then is lost.
    ///
    /// # Errors
    ///
    /// If not everything was sent in time. That is worth a word in the log, and no exit code.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), ShutdownError> {
        let (metrics, traces) = (self.metrics.clone(), self.traces.clone());
        let traces = apart(move || traces.map_or(Ok(()), |it| it.shutdown_with_timeout(limit)));
        let metrics = apart(move || metrics.map_or(Ok(()), |it| it.shutdown_with_timeout(limit)));
        let both = async { tokio::join!(traces, metrics) };
        match tokio::time::timeout(limit, both).await {
            Ok((traces, metrics)) => traces.and(metrics),
            Err(_) => Err(ShutdownError::late()),
        }
    }
}

impl Drop for Otlp {
    /// The providers would wait for the collector where they are dropped.
    fn drop(&mut self) {
        let (metrics, traces) = (self.metrics.take(), self.traces.take());
        if metrics.is_some() || traces.is_some() {
            let thread = std::thread::Builder::new().name(STOPPER.into());
            let _ = thread.spawn(move || drop((metrics, traces))); // without a thread it waits here
        }
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("metrics", &self.metrics.is_some())
            .field("traces", &self.traces.is_some())
            .field("failures", &self.failures())
            .finish_non_exhaustive()
    }
}

/// Who sends: what the settings say, and where they do not, an instance that no other process is. Without that, the counts
/// of several processes would be those of one that jumps.
fn resource(settings: &OtlpSettings) -> Resource {
    const INSTANCE: &str = "service.instance.id";
    let instance = format!("{:032x}", fastrand::u128(..));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attribute(KeyValue::new(INSTANCE, instance))
        .with_attributes(settings.resource.iter().map(attribute))
        .with_service_name(settings.service_name.clone())
        .build()
}

/// Room for a series for each flag that is shown: by default the SDK makes one of all beyond 2,000.
fn room_for(flags: usize) -> impl Fn(&Instrument) -> Option<Stream> + Send + Sync {
    move |it| {
        let stream = Stream::builder().with_cardinality_limit(flags.saturating_add(1));
        (it.name() == FLAG_EVALUATIONS && 1_999 < flags).then(|| stream.build().ok()).flatten()
    }
}

fn attribute((key, value): &(String, String)) -> KeyValue {
    KeyValue::new(key.clone(), value.clone())
}

/// Runs on a thread that nobody joins: a blocking task of the runtime would hold up the runtime's end.
async fn apart(stop: impl FnOnce() -> OTelSdkResult + Send + 'static) -> Result<(), ShutdownError> {
    let (done, finished) = oneshot::channel();
    let thread = std::thread::Builder::new().name(STOPPER.into());
    let run = move || drop(done.send(stop())); // whoever waited may have left
    thread.spawn(run).map_err(ShutdownError::no_thread)?;
    match finished.await {
        Ok(stopped) => stopped.map_err(ShutdownError::unsent),
        Err(_) => Err(ShutdownError::late()),
    }
}
