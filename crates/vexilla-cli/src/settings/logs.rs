//! Settings of the log.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::filter::LevelFilter;
use vexilla_telemetry::{LogFilter, LogFormat};

use super::kind::{As, Named, OneOf, Written};
use super::table::section;

section! {
    /// The log, on standard error
    struct Log for it: () {
        /// What is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`, also by module as in `warn,vexilla=debug`
        level: As<Levels> = Levels::default(),
            [flag: Some("log"), value: Some("LEVEL"), alias: Some("VEXILLA_LOG"), live: true];
        /// How: in lines for people, or in JSON
        format: OneOf<LogStyle> = LogStyle::Text;
    }
}

/// Levels, also by module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    text: String,
    filter: LogFilter,
}

impl Levels {
    pub(crate) fn filter(&self) -> LogFilter {
        self.filter.clone()
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self { text: "warn".to_owned(), filter: LogFilter::default() }
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A word that is no level would be taken for a module, of which everything is logged.
        for part in text.split(',').filter(|it| !it.contains('=')) {
            if part.trim().parse::<LevelFilter>().is_err() {
                return Err(format!("`{part}` is no level, as `info` or `vexilla=debug`"));
            }
        }
        match text.parse() {
            Ok(filter) => Ok(Self { text: text.to_owned(), filter }),
            Err(_) => {
                Err(format!("`{text}` cannot be read, as `info` or `warn,vexilla=debug` can"))
            }
        }
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Written for Levels {
    const SHAPE: &'static str = "level, or levels by module";
}

impl Log {
    /// How it is written: coloured where somebody looks at it.
    pub(crate) fn written(&self, color: bool) -> LogFormat {
        match self.format {
            LogStyle::Text if color => LogFormat::ColoredText,
            LogStyle::Text => LogFormat::Text,
            LogStyle::Json => LogFormat::Json,
        }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogStyle {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Named for LogStyle {
    const NAMES: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}
