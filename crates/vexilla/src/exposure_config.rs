//! How exposures reach Flagr.

#[cfg(feature = "disk")]
use std::path::PathBuf;
use std::time::Duration;

use crate::error::ConfigError;

/// How exposures are kept and sent, and the evaluations that Flagr is to record with
/// [`Records::Replay`](crate::Records::Replay). [`ExposureConfig::default`] is right for most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExposureConfig {
    /// The folder in which they are kept until Flagr has them, for one client at a time. Default: `None`, they are kept in
    /// memory and are lost with the process.
    #[cfg(feature = "disk")]
    pub spool: Option<PathBuf>,
    /// How many bytes they may take in the folder; exposures and evaluations have that much each. Beyond it the oldest are
    /// dropped. Default 64 MiB.
    #[cfg(feature = "disk")]
    pub spool_bytes: u64,
    /// How often what was written to the folder is made safe from a power failure. A process that ends in any other way
    /// loses nothing. Default 1 second.
    #[cfg(feature = "disk")]
    pub sync_interval: Duration,
    /// How many are sent at once. Flagr takes no more than 100 by its defaults; where it refuses so many, fewer are sent.
    /// Default 100.
    pub batch_size: usize,
    /// How long one waits for others to be sent with it. Default 1 second.
    pub interval: Duration,
    /// How many may wait in memory: without a folder until they are sent, with one until they are written. One more is
    /// refused. Default 10,000.
    pub queue: usize,
    /// How many bytes those may have. Default 16 MiB.
    pub queue_bytes: usize,
    /// How long a client that stops goes on sending. Default 5 seconds.
    pub flush_limit: Duration,
    /// How long Flagr is left alone after a failure; it doubles from failure to failure. Default 1 second.
    pub retry_base: Duration,
    /// What that grows to. Default 30 seconds.
    pub retry_max: Duration,
}

impl Default for ExposureConfig {
    fn default() -> Self {
        Self {
            #[cfg(feature = "disk")]
            spool: None,
            #[cfg(feature = "disk")]
            spool_bytes: 64 << 20,
            #[cfg(feature = "disk")]
            sync_interval: Duration::from_secs(1),
            batch_size: 100,
            interval: Duration::from_secs(1),
            queue: 10_000,
            queue_bytes: 16 << 20,
            flush_limit: Duration::from_secs(5),
            retry_base: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
        }
    }
}

/// The longest time that a setting may have.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// The least that a folder may take.
#[cfg(feature = "disk")]
const LEAST_SPOOL: u64 = 64 << 10;

impl ExposureConfig {
    /// Refuses what cannot work, naming it.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let durations = [
            ("exposures.interval", self.interval),
            ("exposures.flush_limit", self.flush_limit),
            ("exposures.retry_base", self.retry_base),
            ("exposures.retry_max", self.retry_max),
            #[cfg(feature = "disk")]
            ("exposures.sync_interval", self.sync_interval),
        ];
        for (field, value) in durations {
            if value.is_zero() {
                return Err(ConfigError::new(field, "`0s` must be longer than zero"));
            }
            if MOST < value {
                let reason = format!("`{}s` must be at most a day", value.as_secs());
                return Err(ConfigError::new(field, reason));
            }
        }
        if self.retry_max < self.retry_base {
            return Err(ConfigError::new(
                "exposures.retry_max",
                "must not be shorter than `exposures.retry_base`",
            ));
        }
        let sizes = [
            ("exposures.batch_size", self.batch_size),
            ("exposures.queue", self.queue),
            ("exposures.queue_bytes", self.queue_bytes),
        ];
        if let Some((field, _)) = sizes.into_iter().find(|it| it.1 == 0) {
            return Err(ConfigError::new(field, "`0` must be at least 1"));
        }
        #[cfg(feature = "disk")]
        if self.spool_bytes < LEAST_SPOOL {
            let reason = format!("`{}` must be at least {LEAST_SPOOL}", self.spool_bytes);
            return Err(ConfigError::new("exposures.spool_bytes", reason));
        }
        Ok(())
    }
}
