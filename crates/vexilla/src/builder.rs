//! From a URL or a file to a running client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vexilla_breaker::{Breaker, BreakerConfig, State, Transition};
use vexilla_domain::{BreakerState, FlagFilter, FlagSource, Observer, TagsOperator, with_causes};
use vexilla_flagr::{ExportFilter, FlagrConfig, FlagrSource};

use crate::archives::Archives;
use crate::client::Client;
use crate::config::{Config, ExportPolicy, Fallback, FlagEvents, Records, Rollouts, StartPolicy};
use crate::error::{ConfigError, StartError};
use crate::exposure_config::ExposureConfig;
use crate::file::FileSource;
use crate::parts::Parts;
#[cfg(feature = "memory")]
use crate::remote_cache::RemoteCache;
#[cfg(feature = "server")]
use crate::servers::WantedServers;
use crate::telemetry::{Telemetry, WantedTelemetry};

/// A client in the making. Name one source, then [`start`](Self::start).
#[derive(Debug, Default)]
#[must_use = "nothing happens before `start`"]
pub struct ClientBuilder {
    source: Option<Source>,
    config: Config,
    refresh_interval: Option<Duration>,
    breaker: BreakerConfig,
    pub(crate) archives: Archives,
    pub(crate) telemetry: WantedTelemetry,
    #[cfg(feature = "memory")]
    pub(crate) remote_cache: RemoteCache,
    #[cfg(feature = "memory")]
    pub(crate) memory_budget: Option<vexilla_storage::CacheConfig>,
    #[cfg(feature = "server")]
    pub(crate) servers: WantedServers,
    #[cfg(feature = "server")]
    pub(crate) forward: Option<vexilla_server::ForwardConfig>,
}

#[derive(Debug)]
enum Source {
    Flagr(Box<FlagrConfig>),
    File(PathBuf),
    Custom(Arc<dyn FlagSource>),
}

/// How often a file is looked at where nothing else was asked for: a look costs next to nothing.
const FILE_INTERVAL: Duration = Duration::from_secs(1);

impl ClientBuilder {
    /// Takes flags from a Flagr: the URL of its root, `http://localhost:18000`, with its web prefix if it has one.
    pub fn flagr(self, url: impl Into<String>) -> Self {
        self.flagr_with(FlagrConfig::new(url))
    }

    /// Takes flags from a Flagr, with all its settings.
    pub fn flagr_with(mut self, config: FlagrConfig) -> Self {
        self.source = Some(Source::Flagr(Box::new(config)));
        self
    }

    /// Takes flags from a file in Flagr's export shape, or its REST list; it is read again when it changes.
    pub fn flags_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Some(Source::File(path.into()));
        self
    }

    /// Takes flags from anywhere.
    pub fn source(mut self, source: Arc<dyn FlagSource>) -> Self {
        self.source = Some(Source::Custom(source));
        self
    }

    /// All settings of how the client behaves, in place of those that were set so far. How often the source is asked stays
    /// with [`refresh_interval`](Self::refresh_interval), whose default depends on the source.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How often the source is asked whether anything changed. Default 5 minutes for a Flagr, 1 second for a file.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = Some(interval);
        self
    }

    /// How long the start may take to load flags. Default 10 seconds.
    pub fn initial_timeout(mut self, timeout: Duration) -> Self {
        self.config.initial_timeout = timeout;
        self
    }

    /// What a start does that could not load flags. Default: it fails.
    pub fn on_start(mut self, policy: StartPolicy) -> Self {
        self.config.start = policy;
        self
    }

    /// Whether the flags are kept as a document too. Default: not.
    pub fn export(mut self, policy: ExportPolicy) -> Self {
        self.config.export = policy;
        self
    }

    /// How often all flags are read although nothing seems to have changed. Default 15 minutes.
    pub fn full_refresh_interval(mut self, interval: Duration) -> Self {
        self.config.full_refresh_interval = interval;
        self
    }

    /// Who decides flags in which an entity's bucket takes part. Default: Flagr, where there is one.
    pub fn rollouts(mut self, rollouts: Rollouts) -> Self {
        self.config.rollouts = rollouts;
        self
    }

    /// Who decides flags whose evaluations Flagr records. Default: Flagr, where there is one.
    pub fn records(mut self, records: Records) -> Self {
        self.config.records = records;
        self
    }

    /// Whether evaluations are events of `tracing`. Default: they are not.
    pub fn flag_events(mut self, events: FlagEvents) -> Self {
        self.config.flag_events = events;
        self
    }

    /// How exposures are kept and sent, and evaluations that Flagr is to record.
    pub fn exposures(mut self, config: ExposureConfig) -> Self {
        self.config.exposures = config;
        self
    }

    /// What stands in where nothing can decide. Default: the flag counts as off.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.config.fallback = fallback;
        self
    }

    /// How old rules may be before a fallback applies instead. Default: they are served for ever.
    pub fn max_staleness(mut self, limit: Duration) -> Self {
        self.config.max_staleness = Some(limit);
        self
    }

    /// How often, at most, an unknown key makes the client look for changes. Default 10 seconds.
    pub fn miss_interval(mut self, interval: Duration) -> Self {
        self.config.miss_interval = interval;
        self
    }

    /// When Flagr is not asked for a while: after how many failures, and for how long. Default 3 and 30 seconds.
    pub fn breaker(mut self, config: BreakerConfig) -> Self {
        self.breaker = config;
        self
    }

    /// Which flags are kept. Replaces what the shorter calls below have set. Default: all.
    pub fn filter(mut self, filter: FlagFilter) -> Self {
        self.config.filter = filter;
        self
    }

    /// Keeps enabled flags only.
    pub fn only_enabled(self) -> Self {
        let filter = self.config.filter.clone().with_only_enabled();
        self.filter(filter)
    }

    /// Names the service that asks. If the tag is required, only flags that carry it are kept.
    pub fn with_service_tag(self, name: impl Into<Box<str>>, required: bool) -> Self {
        let filter = self.config.filter.clone().with_service_tag(name, required);
        self.filter(filter)
    }

    /// Keeps flags with any, or with all, of these tags.
    pub fn with_additional_tags<T: Into<Box<str>>>(
        self,
        tags: impl IntoIterator<Item = T>,
        operator: TagsOperator,
    ) -> Self {
        let filter = self.config.filter.clone().with_additional_tags(tags, operator);
        self.filter(filter)
    }

    /// Loads the flags and starts keeping them fresh. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// See [`Client::new`]; also without a source, and if a server cannot listen.
    pub async fn start(self) -> Result<Client, StartError> {
        let mut config = self.config;
        #[cfg(feature = "server")]
        self.servers.check()?;
        let telemetry = self.telemetry.start()?;
        let observer = telemetry.as_ref().map(Telemetry::observer);
        let breaker = Breaker::with_observer(self.breaker, move |it| told(it, observer.as_deref()))
            .map_err(|error| ConfigError::new("breaker", with_causes(&error)))?;
        let (mut parts, interval) = match self.source {
            None => return Err(ConfigError::new("source", "name a Flagr or a flags file").into()),
            Some(Source::Flagr(flagr)) => {
                #[cfg(feature = "otel")]
                let flagr = traced(flagr, telemetry.as_ref());
                #[cfg(feature = "server")]
                let forwarder = crate::forward::to(&flagr, self.forward)?;
                let flagr = FlagrSource::new(filtered(*flagr, &config.filter))
                    .map_err(|error| ConfigError::new("flagr", with_causes(&error)))?;
                let remote = Arc::new(flagr.evaluator());
                let exposures = Arc::new(flagr.exposures());
                let parts = Parts::new(Arc::new(flagr)).with_remote(remote);
                let parts = parts.with_exposures(exposures).with_breaker(breaker);
                let parts = shown(parts, telemetry);
                #[cfg(feature = "memory")]
                let parts = self.remote_cache.around(parts)?;
                #[cfg(feature = "server")]
                let parts = Parts { forwarder, ..parts };
                (parts, config.refresh_interval)
            }
            Some(Source::File(path)) => {
                (shown(Parts::new(Arc::new(FileSource::new(path))), telemetry), FILE_INTERVAL)
            }
            Some(Source::Custom(source)) => {
                (shown(Parts::new(source), telemetry), config.refresh_interval)
            }
        };
        if let Some(archive) = self.archives.open(&parts.source.describe())? {
            parts = parts.with_archive(archive);
        }
        #[cfg(feature = "memory")]
        if let Some(budget) = self.memory_budget {
            parts = parts.with_memory_budget(&budget)?;
        }
        config.refresh_interval = self.refresh_interval.unwrap_or(interval);
        let client = Box::pin(Client::new(parts, config)).await?;
        #[cfg(feature = "server")]
        self.servers.open(&client).await?;
        Ok(client)
    }
}

/// Hands the traces of requests on to Flagr.
#[cfg(feature = "otel")]
fn traced(mut flagr: Box<FlagrConfig>, telemetry: Option<&Telemetry>) -> Box<FlagrConfig> {
    if let Some(headers) = telemetry.and_then(Telemetry::request_headers) {
        flagr.request_headers = Some(headers);
    }
    flagr
}

fn shown(parts: Parts, telemetry: Option<Telemetry>) -> Parts {
    match telemetry {
        Some(telemetry) => parts.with_telemetry(telemetry),
        None => parts,
    }
}

/// Logs what the breaker does, for an outage that evaluations meet first is told by nobody else; and tells the observer.
fn told(transition: Transition, observer: Option<&dyn Observer>) {
    if let Some(observer) = observer {
        observer.breaker_changed(seen(transition.from), seen(transition.to));
    }
    match transition.to {
        State::Open if transition.from == State::Closed => {
            tracing::warn!(
                "Flagr does not answer: it is not asked for a while, the rules held here stand in"
            );
        }
        State::Closed => tracing::info!("Flagr answers again"),
        State::Open | State::HalfOpen => tracing::debug!(to = %transition.to, "the breaker moved"),
    }
}

/// A state as observers know it.
fn seen(state: State) -> BreakerState {
    match state {
        State::Closed => BreakerState::Closed,
        State::Open => BreakerState::Open,
        State::HalfOpen => BreakerState::HalfOpen,
    }
}

/// Asks Flagr to filter as far as it can, where the filter wants that and nothing else was asked of it.
fn filtered(mut config: FlagrConfig, filter: &FlagFilter) -> FlagrConfig {
    if let (None, Some((only_enabled, tags, operator))) =
        (&config.export_filter, filter.for_source())
    {
        let asked = config.export_filter.insert(ExportFilter::default());
        asked.enabled_only = only_enabled;
        asked.tags = tags.into_iter().map(String::from).collect();
        asked.tags_operator = operator;
    }
    config
}
