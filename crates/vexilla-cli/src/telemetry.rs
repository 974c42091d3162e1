//! Logs, metrics and traces of the process: the one place that installs something for all of it.

use std::io;
use std::time::Duration;

use tracing_subscriber::prelude::*;
use vexilla::{OtlpSettings, Telemetry, TelemetryConfig};
use vexilla_telemetry::{LogFilter, LogFormat, LogLevel, SettingsError, logs};

use crate::error::CommandError;

/// What the process says of itself.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What is logged, to standard error: standard output is for what was asked for.
    pub(crate) log: LogFilter,
    /// How it is logged.
    pub(crate) format: LogFormat,
    /// Metrics and traces, for a command that serves.
    pub(crate) served: Option<Served>,
}

/// How what is served is shown.
#[derive(Debug)]
pub(crate) struct Served {
    /// How many flags have counts of their own; 0: none.
    pub(crate) flags: usize,
    /// Whether there is somebody to ask for metrics as Prometheus text.
    pub(crate) prometheus: bool,
    /// Where metrics and traces are sent, if anywhere.
    pub(crate) otlp: OtlpSettings,
    /// The variables of OpenTelemetry that mean nothing.
    pub(crate) ignored: Vec<SettingsError>,
}

/// How long the end may wait for the collector.
const LAST_SENDING: Duration = Duration::from_secs(5);

/// What runs, until [`end`](Self::end).
#[derive(Debug)]
pub(crate) struct Running {
    /// For the client whose work is to be shown.
    pub(crate) telemetry: Option<Telemetry>,
    /// Changes what is logged.
    pub(crate) level: LogLevel,
}

/// Starts logging, and showing what is served. Must be called within the runtime.
pub(crate) fn start(settings: Settings) -> Result<Running, CommandError> {
    let Settings { log, format, served } = settings;
    let (log, level) = logs(format, log, io::stderr);
    let mut ignored = Vec::new();
    let started = served.map(|served| {
        ignored = served.ignored;
        let mut config = TelemetryConfig::default();
        config.flags = served.flags;
        config.prometheus = served.prometheus;
        config.otlp = served.otlp;
        // What the variables say of the service counts, also of its version.
        let version = ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        config.otlp.resource.insert(0, version);
        Telemetry::start(&config)
    });
    let telemetry = match started {
        Some(Ok(telemetry)) => Some(telemetry),
        Some(Err(error)) => return Err(CommandError::Named(Box::new(error))),
        None => None,
    };
    let traces = telemetry.as_ref().and_then(|it| it.otlp()?.layer());
    tracing_subscriber::registry().with(traces).with(log).init();
    for it in ignored {
        tracing::warn!("environment variable {}: {}: it is ignored", it.field(), it.reason());
    }
    Ok(Running { telemetry, level })
}

impl Running {
    /// Sends what is left. That this fails is no failure of the command.
    pub(crate) async fn end(&self) {
        let Some(telemetry) = &self.telemetry else { return };
        if let Err(error) = telemetry.shutdown(LAST_SENDING).await {
            // What is behind it says no more than that it failed.
            tracing::warn!("{error}: the last of it is lost");
        }
    }
}
