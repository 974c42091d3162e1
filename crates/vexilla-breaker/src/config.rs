//! When a breaker opens, and for how long.

use std::time::Duration;

/// When a breaker opens, and for how long.
///
/// Fill it in, then give it to [`Breaker::new`](crate::Breaker::new), which checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// How many calls in a row must fail before the breaker opens: 3.
    pub failure_threshold: u32,
    /// How long the breaker then refuses every call: 30 s.
    pub open_for: Duration,
    /// How long a probe may take before it counts as failed: 10 s.
    pub half_open_limit: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_threshold: 3,
            open_for: Duration::from_secs(30),
            half_open_limit: Duration::from_secs(10),
        }
    }
}

impl BreakerConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.failure_threshold == 0 {
            return Err(ConfigError {
                field: "failure_threshold",
                value: "0",
                reason: "would open without a failure",
            });
        }
        let durations = [("open_for", self.open_for), ("half_open_limit", self.half_open_limit)];
        match durations.into_iter().find(|(_, duration)| duration.is_zero()) {
            Some((field, _)) => Err(ConfigError { field, value: "0s", reason: "leaves no time" }),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot work: which field, its value, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: `{value}` {reason}")]
pub struct ConfigError {
    field: &'static str,
    value: &'static str,
    reason: &'static str,
}

impl ConfigError {
    /// The field of [`BreakerConfig`] that is wrong.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

#[cfg(test)]
mod tests;
