//! What is logged, and how: the command line goes before the environment.

use tracing_subscriber::filter::LevelFilter;
use vexilla_telemetry::{LogFilter, LogFormat};

use crate::args;
use crate::config::Environment;

/// The command line's level, else the environment's filter, else warnings.
pub(crate) fn filter(level: Option<args::LogLevel>, environment: &Environment) -> LogFilter {
    match (level, &environment.log) {
        (Some(level), _) => LogFilter::from(LevelFilter::from(level)),
        (None, Some(filter)) => filter.clone(),
        (None, None) => LogFilter::from(LevelFilter::WARN),
    }
}

/// Coloured where somebody looks at it.
pub(crate) fn format(format: args::LogFormat, environment: &Environment) -> LogFormat {
    match format {
        args::LogFormat::Json => LogFormat::Json,
        args::LogFormat::Text if environment.color => LogFormat::ColoredText,
        args::LogFormat::Text => LogFormat::Text,
    }
}

impl From<args::LogLevel> for LevelFilter {
    fn from(level: args::LogLevel) -> Self {
        match level {
            args::LogLevel::Off => Self::OFF,
            args::LogLevel::Error => Self::ERROR,
            args::LogLevel::Warn => Self::WARN,
            args::LogLevel::Info => Self::INFO,
            args::LogLevel::Debug => Self::DEBUG,
            args::LogLevel::Trace => Self::TRACE,
        }
    }
}
