//! Showing what a client does: Prometheus and OpenTelemetry, put together.

use std::sync::Arc;
#[cfg(feature = "otel")]
use std::time::Duration;

use vexilla_domain::{Fanout, Observer};
#[cfg(feature = "otel")]
use vexilla_flagr::RequestHeaders;
#[cfg(feature = "prometheus")]
use vexilla_telemetry::Prometheus;
use vexilla_telemetry::{FlagCounts, StatsReader};
#[cfg(feature = "otel")]
use vexilla_telemetry::{Otlp, OtlpSettings};

use crate::builder::ClientBuilder;
use crate::client::Client;
#[cfg(feature = "otel")]
use crate::clock::SystemClock;
use crate::error::ConfigError;

/// What is shown of a client, and how. By default nothing is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TelemetryConfig {
    /// How many flags have a count of their evaluations of their own: those in most use. The others are counted together.
    /// 0: flags are not counted.
    pub flags: usize,
    /// Whether there are metrics as Prometheus text.
    #[cfg(feature = "prometheus")]
    pub prometheus: bool,
    /// Where metrics and traces are sent, if anywhere.
    #[cfg(feature = "otel")]
    pub otlp: OtlpSettings,
}

/// Shows what one client does. It is made before that client, so that its start is seen too, and may outlive it. Clones
/// are the same telemetry.
///
/// Counts are read from the client when they are shown, so they cost evaluations nothing; flags that are counted one by
/// one cost each evaluation an addition, and one of many is measured.
///
/// Nothing is installed for the process. Spans reach a collector once the layer of [`Otlp`] is part of the program's
/// subscriber:
///
/// ```no_run
/// # #[cfg(all(feature = "otel", feature = "prometheus"))]
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use vexilla::{Client, OtlpProtocol, OtlpSettings, Telemetry, TelemetryConfig};
///
/// let mut config = TelemetryConfig::default();
/// config.prometheus = true;
/// config.otlp = OtlpSettings::to("http://localhost:4318", OtlpProtocol::Http);
/// let telemetry = Telemetry::start(&config)?;
/// // tracing_subscriber::registry().with(telemetry.otlp().and_then(|it| it.layer())).init();
/// let client =
///     Client::builder().flagr("http://localhost:18000").telemetry(telemetry.clone()).start().await?;
/// // …
/// client.stop().await;
/// telemetry.shutdown(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Telemetry {
    inner: Arc<Inner>,
    observer: Arc<dyn Observer>,
    /// Whether it was made by the client's builder, and so ends with the client.
    #[cfg(feature = "otel")]
    belongs_to_client: bool,
}

#[derive(Debug)]
struct Inner {
    stats: StatsReader,
    flags: Option<Arc<FlagCounts>>,
    #[cfg(feature = "prometheus")]
    prometheus: Option<Arc<Prometheus>>,
    #[cfg(feature = "otel")]
    otlp: Option<Otlp>,
}

impl Telemetry {
    /// Starts what the configuration asks for. Sending over gRPC needs a Tokio runtime around it.
    ///
    /// # Errors
    ///
    /// If a setting cannot work. Whether a collector is there is not asked.
    pub fn start(config: &TelemetryConfig) -> Result<Self, ConfigError> {
        let stats = StatsReader::later();
        let flags = (0 < config.flags).then(|| Arc::new(FlagCounts::new(config.flags)));
        #[cfg_attr(
            not(any(feature = "otel", feature = "prometheus")),
            expect(unused_mut, reason = "the features add to it")
        )]
        let mut observers: Vec<Arc<dyn Observer>> = Vec::new();
        #[cfg(feature = "prometheus")]
        let prometheus = config.prometheus.then(|| {
            let prometheus = Arc::new(match &flags {
                Some(flags) => Prometheus::with_flags(stats.clone(), Arc::clone(flags)),
                None => Prometheus::new(stats.clone()),
            });
            observers.push(Arc::clone(&prometheus) as Arc<dyn Observer>);
            prometheus
        });
        #[cfg(feature = "otel")]
        let otlp = if config.otlp.is_on() {
            let clock: Arc<dyn vexilla_domain::Clock> = Arc::new(SystemClock);
            let otlp = Otlp::start(&config.otlp, &stats, flags.as_ref(), &clock)
                .map_err(|error| ConfigError::new("otlp", error.to_string()))?;
            observers.push(otlp.observer());
            Some(otlp)
        } else {
            None
        };
        let inner = Inner {
            stats,
            flags,
            #[cfg(feature = "prometheus")]
            prometheus,
            #[cfg(feature = "otel")]
            otlp,
        };
        let observer = Arc::new(Fanout::new(observers));
        Ok(Self {
            inner: Arc::new(inner),
            observer,
            #[cfg(feature = "otel")]
            belongs_to_client: false,
        })
    }

    /// The same, and another observer is told what this is told.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Arc::new(Fanout::new([self.observer, observer]));
        self
    }

    /// Who is to be told what is measured.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.observer)
    }

    /// Where evaluations are counted flag by flag, if they are.
    pub fn flag_counts(&self) -> Option<Arc<FlagCounts>> {
        self.inner.flags.clone()
    }

    /// The metrics as Prometheus text, where that is on.
    #[cfg(feature = "prometheus")]
    pub fn prometheus(&self) -> Option<String> {
        Some(self.inner.prometheus.as_ref()?.render())
    }

    /// What sends metrics and traces, where that is on.
    #[cfg(feature = "otel")]
    pub fn otlp(&self) -> Option<&Otlp> {
        self.inner.otlp.as_ref()
    }

    /// Sends what is left and stops sending, within this time. Whatever is sent by then, nobody waits longer.
    ///
    /// # Errors
    ///
    /// If not everything was sent. That is worth a word in the log, and no exit code.
    #[cfg(feature = "otel")]
    pub async fn shutdown(&self, limit: Duration) -> Result<(), vexilla_telemetry::ShutdownError> {
        match &self.inner.otlp {
            Some(otlp) => otlp.shutdown(limit).await,
            None => Ok(()),
        }
    }

    /// Shows the statistics of this client from now on. It does not keep the client going.
    pub(crate) fn show(&self, client: &Client) {
        self.inner.stats.provide(client.stats_reader());
    }

    /// Puts the trace of the current span into requests to Flagr.
    #[cfg(feature = "otel")]
    pub(crate) fn request_headers(&self) -> Option<RequestHeaders> {
        self.inner.otlp.as_ref()?;
        Some(RequestHeaders::new(|add| {
            for (name, value) in &vexilla_telemetry::trace_of(&tracing::Span::current()) {
                add(name.as_str(), value.as_bytes());
            }
        }))
    }

    /// Takes the trace of requests to our servers.
    #[cfg(all(feature = "otel", feature = "server"))]
    pub(crate) fn trace_parent(&self) -> vexilla_server::TraceParent {
        match &self.inner.otlp {
            Some(_) => vexilla_server::TraceParent::new(vexilla_telemetry::adopt),
            None => vexilla_server::TraceParent::default(),
        }
    }

    /// What the admin API answers at `/metrics`.
    #[cfg(all(feature = "server", feature = "prometheus"))]
    pub(crate) fn metrics(&self) -> Option<Arc<dyn Fn() -> String + Send + Sync>> {
        let prometheus = Arc::clone(self.inner.prometheus.as_ref()?);
        Some(Arc::new(move || prometheus.render()))
    }

    /// Ends with its client, if it belongs to it.
    #[cfg(feature = "otel")]
    pub(crate) async fn end_with_client(&self) {
        if self.belongs_to_client
            && let Err(error) = self.shutdown(LAST_SENDING).await
        {
            tracing::warn!("{error}: the last of it is lost");
        }
    }
}

/// How long the end of a client may wait for its collector.
#[cfg(feature = "otel")]
const LAST_SENDING: Duration = Duration::from_secs(5);

/// The telemetry that a builder was asked for.
#[derive(Debug, Default)]
pub(crate) struct WantedTelemetry {
    given: Option<Telemetry>,
    config: Option<TelemetryConfig>,
    observer: Option<Arc<dyn Observer>>,
}

impl WantedTelemetry {
    fn config(&mut self) -> &mut TelemetryConfig {
        self.config.get_or_insert_default()
    }

    /// Starts it, if there is any.
    pub(crate) fn start(self) -> Result<Option<Telemetry>, ConfigError> {
        let telemetry = match (self.given, self.config) {
            (Some(given), _) => given,
            (None, None) if self.observer.is_none() => return Ok(None),
            (None, config) => {
                let started = Telemetry::start(&config.unwrap_or_default())?;
                #[cfg(feature = "otel")]
                let started = Telemetry { belongs_to_client: true, ..started };
                started
            }
        };
        Ok(Some(match self.observer {
            Some(observer) => telemetry.with_observer(observer),
            None => telemetry,
        }))
    }
}

impl ClientBuilder {
    /// Tells this what is measured.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.telemetry.observer = Some(observer);
        self
    }

    /// Shows the client by what was made before it. Goes before the calls that have the client make its own.
    pub fn telemetry(mut self, telemetry: Telemetry) -> Self {
        self.telemetry.given = Some(telemetry);
        self
    }

    /// Counts the evaluations of each flag, and shows this many flags, those in most use, by name. Default: none.
    pub fn flag_metrics(mut self, shown: usize) -> Self {
        self.telemetry.config().flags = shown;
        self
    }

    /// Shows metrics as Prometheus text: at `/metrics` of the admin API, and in
    /// [`Client::prometheus`](crate::Client::prometheus).
    #[cfg(feature = "prometheus")]
    pub fn prometheus(mut self) -> Self {
        self.telemetry.config().prometheus = true;
        self
    }

    /// Sends metrics and traces to a collector, for as long as the client lives. [`Telemetry`] says what traces need.
    #[cfg(feature = "otel")]
    pub fn otlp(mut self, settings: OtlpSettings) -> Self {
        self.telemetry.config().otlp = settings;
        self
    }
}

impl Client {
    /// What shows this client, if anything does.
    pub fn telemetry(&self) -> Option<&Telemetry> {
        self.parts().telemetry.as_ref()
    }

    /// Takes the trace of requests to the servers in front of this client.
    #[cfg(all(feature = "otel", feature = "server"))]
    pub(crate) fn trace_parent(&self) -> vexilla_server::TraceParent {
        self.telemetry().map(Telemetry::trace_parent).unwrap_or_default()
    }

    /// The metrics as Prometheus text, where [`ClientBuilder::prometheus`] asked for them.
    #[cfg(feature = "prometheus")]
    pub fn prometheus(&self) -> Option<String> {
        self.telemetry()?.prometheus()
    }
}
