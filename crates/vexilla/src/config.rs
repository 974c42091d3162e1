//! A client's settings.

use std::time::Duration;

use crate::error::ConfigError;

/// How a client behaves. [`Config::default`] is right for most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// How often the source is asked whether anything changed, give or take 10 %. Default 5 minutes.
    pub refresh_interval: Duration,
    /// How long the start may take to load flags. Default 10 seconds.
    pub initial_timeout: Duration,
    /// What a start does that could not load flags. Default: it fails.
    pub start: StartPolicy,
    /// Whether the flags are kept as a document too, for [`Client::export`](crate::Client::export) and the sidecar.
    /// Default: not, which saves their size in memory.
    pub export: ExportPolicy,
}

/// What a start does that could not load flags in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartPolicy {
    /// It fails.
    #[default]
    RequireFlags,
    /// It succeeds without flags; they are served once a later refresh brings them.
    ComeUpEmpty,
}

/// Whether the flags are kept as a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExportPolicy {
    /// Only compiled.
    #[default]
    Drop,
    /// As Flagr's export too.
    Keep,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            refresh_interval: Duration::from_secs(5 * 60),
            initial_timeout: Duration::from_secs(10),
            start: StartPolicy::default(),
            export: ExportPolicy::default(),
        }
    }
}

impl Config {
    /// Refuses what cannot work, naming it.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in
            [("refresh_interval", self.refresh_interval), ("initial_timeout", self.initial_timeout)]
        {
            if value.is_zero() {
                return Err(ConfigError::new(field, "must be longer than zero"));
            }
        }
        Ok(())
    }
}
