//! Logs, to standard error: standard output is for what was asked for.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::args::LogLevel;
use crate::config::Environment;

/// Starts logging: the command line's level, else the environment's filter, else warnings.
pub(crate) fn start(level: Option<LogLevel>, environment: &Environment) {
    let by_default = |level| Targets::new().with_default(level);
    let filter = match (level, &environment.log) {
        (Some(level), _) => by_default(LevelFilter::from(level)),
        (None, Some(filter)) => filter.clone(),
        (None, None) => by_default(LevelFilter::WARN),
    };
    // A reader of the log that went away is nothing to complain about, least of all to the log.
    let writer = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(environment.color)
        .log_internal_errors(false)
        .with_target(false);
    tracing_subscriber::registry().with(writer.with_filter(filter)).init();
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
