//! What `logs` promises.

use std::io;
use std::sync::Mutex;

use serde_json::Value;
use tracing_subscriber::prelude::*;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs what `work` says.
fn log(format: LogFormat, filter: &str, work: impl FnOnce(&LogLevel)) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    let (layer, level) = logs(format, filter.parse().unwrap(), move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || work(&level));
    log.lines()
}

#[test]
fn a_line_is_text() {
    let lines = log(LogFormat::Text, "info", |_| {
        tracing::info!(flags = 3, "loaded");
        tracing::debug!("not this");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("INFO vexilla_telemetry::logs::tests: loaded flags=3"), "{lines:?}");
}

#[test]
fn a_line_is_json() {
    let lines = log(LogFormat::Json, "info", |_| tracing::warn!(flags = 3, "loaded \"all\""));
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["flags"], 3);
    assert_eq!(line["message"], "loaded \"all\"");
    assert!(line["timestamp"].is_string(), "{line}");
}

#[test]
fn the_filter_changes_while_running() {
    let lines = log(LogFormat::Text, "warn", |level| {
        let speak = |text: &str| tracing::debug!("{text}");
        speak("first");
        level.set("warn,vexilla_telemetry=debug".parse().unwrap()).unwrap();
        speak("second");
        level.set("off".parse().unwrap()).unwrap();
        speak("third");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("second"), "{lines:?}");
}

#[test]
fn a_filter_that_means_nothing_is_an_error() {
    let error = "vexilla=loud".parse::<LogFilter>().unwrap_err();
    assert_eq!(error.to_string(), "log filter `vexilla=loud` cannot be read");
}
