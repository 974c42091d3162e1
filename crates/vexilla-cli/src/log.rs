//! What is logged, and how.

use vexilla_telemetry::LogFormat;

use crate::settings::{Log, LogStyle};

/// Coloured where somebody looks at it.
pub(crate) fn format(settings: &Log, color: bool) -> LogFormat {
    match settings.format {
        LogStyle::Text if color => LogFormat::ColoredText,
        LogStyle::Text => LogFormat::Text,
        LogStyle::Json => LogFormat::Json,
    }
}
