//! Logs through `tracing`: as text or JSON, with a filter that can be changed while running.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;

/// How a log is written. There will be no further formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// The same with colours, for a terminal.
    ColoredText,
    /// A JSON object on each line, for machines.
    Json,
}

/// What is logged: a level, or levels by target, such as `info` or `warn,vexilla_flagr=debug`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFilter(Targets);

/// Warnings and errors.
impl Default for LogFilter {
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::WARN))
    }
}

impl FromStr for LogFilter {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        text.parse().map(Self).map_err(|error| LogError {
            what: format!("log filter `{text}` cannot be read").into(),
            source: Some(Box::new(error)),
        })
    }
}

impl From<LevelFilter> for LogFilter {
    /// The same level everywhere.
    fn from(level: LevelFilter) -> Self {
        Self(Targets::new().with_default(level))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Changes what is logged, from anywhere and at any time.
#[derive(Clone)]
pub struct LogLevel(Arc<dyn Fn(Targets) -> Result<(), reload::Error> + Send + Sync>);

impl LogLevel {
    /// Logs by this filter from now on.
    ///
    /// # Errors
    ///
    /// If nothing is logged any more at all.
    pub fn set(&self, filter: LogFilter) -> Result<(), LogError> {
        (self.0)(filter.0).map_err(|error| LogError {
            what: "nothing is logged any more".into(),
            source: Some(Box::new(error)),
        })
    }
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLevel").finish_non_exhaustive()
    }
}

/// What is wrong about a log.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct LogError {
    what: Box<str>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A layer that writes a log, and the handle that changes what is in it.
pub fn logs<S, W>(
    format: LogFormat,
    filter: LogFilter,
    writer: W,
) -> (Box<dyn Layer<S> + Send + Sync>, LogLevel)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter.0);
    // A reader of the log that went away is nothing to complain about, least of all to the log.
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    let layer: Box<dyn Layer<S> + Send + Sync> = match format {
        LogFormat::Text => Box::new(layer.with_ansi(false).with_filter(filter)),
        LogFormat::ColoredText => Box::new(layer.with_ansi(true).with_filter(filter)),
        LogFormat::Json => Box::new(layer.json().flatten_event(true).with_filter(filter)),
    };
    (layer, LogLevel(Arc::new(move |targets| handle.reload(targets))))
}

#[cfg(test)]
mod tests;
