//! From a URL or a file to a running client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vexilla_domain::FlagSource;
use vexilla_flagr::{FlagrConfig, FlagrSource};

use crate::client::Client;
use crate::config::{Config, ExportPolicy, StartPolicy};
use crate::error::{ConfigError, StartError};
use crate::file::FileSource;
use crate::parts::Parts;

/// A client in the making. Name one source, then [`start`](Self::start).
#[derive(Debug, Default)]
#[must_use = "nothing happens before `start`"]
pub struct ClientBuilder {
    source: Option<Source>,
    config: Config,
    refresh_interval: Option<Duration>,
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

    /// Loads the flags and starts keeping them fresh. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// See [`Client::new`]; also without a source.
    pub async fn start(self) -> Result<Client, StartError> {
        let mut config = self.config;
        let (source, interval): (Arc<dyn FlagSource>, _) = match self.source {
            None => return Err(ConfigError::new("source", "name a Flagr or a flags file").into()),
            Some(Source::Flagr(flagr)) => {
                let flagr = FlagrSource::new(*flagr)
                    .map_err(|error| ConfigError::new("flagr", error.to_string()))?;
                (Arc::new(flagr), config.refresh_interval)
            }
            Some(Source::File(path)) => (Arc::new(FileSource::new(path)), FILE_INTERVAL),
            Some(Source::Custom(source)) => (source, config.refresh_interval),
        };
        config.refresh_interval = self.refresh_interval.unwrap_or(interval);
        Client::new(Parts::new(source), config).await
    }
}
