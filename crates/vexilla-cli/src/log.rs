//! Logs, to standard error: standard output is for what was asked for.

use std::io;

use tracing_subscriber::prelude::*;
use vexilla_telemetry::{LogFormat, LogLevel, logs};

use crate::settings::{Log, LogStyle};

/// Starts logging. What is logged can be changed later.
pub(crate) fn start(settings: &Log, color: bool) -> LogLevel {
    let format = match settings.format {
        LogStyle::Text if color => LogFormat::ColoredText,
        LogStyle::Text => LogFormat::Text,
        LogStyle::Json => LogFormat::Json,
    };
    let (layer, level) = logs(format, settings.level.filter(), io::stderr);
    tracing_subscriber::registry().with(layer).init();
    level
}
