//! The variables that OpenTelemetry defines for all languages.

use std::str::FromStr;
use std::time::Duration;

use vexilla_domain::Secret;

use super::error::SettingsError;
use super::settings::{
    Compression, METRICS_PATH, OtlpSettings, Protocol, Signal, TRACES_PATH, Temporality,
};

impl OtlpSettings {
    /// These settings, and in place of them whatever the `OTEL_…` variables say. `get` gives the value of a variable.
    ///
    /// A signal is sent when there is an endpoint for it, or when `OTEL_METRICS_EXPORTER` or `OTEL_TRACES_EXPORTER` is
    /// `otlp`. That of `OTEL_EXPORTER_OTLP_CERTIFICATE` is not read: it names a file, which is for the caller to read.
    ///
    /// # Errors
    ///
    /// If a variable has a value that means nothing. An empty one counts as not set.
    pub fn with_env(mut self, get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let env = Environment { get: &get };
        if env.text("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Ok(Self { metrics: None, traces: None, ..self });
        }
        self.metrics = env.signal(self.metrics, "METRICS", METRICS_PATH)?;
        self.traces = env.signal(self.traces, "TRACES", TRACES_PATH)?;
        for (key, value) in env.pairs("OTEL_RESOURCE_ATTRIBUTES")?.unwrap_or_default() {
            match key.as_str() {
                "service.name" => self.service_name = value,
                _ => self.resource.push((key, value)),
            }
        }
        if let Some(name) = env.text("OTEL_SERVICE_NAME") {
            self.service_name = name;
        }
        env.millis("OTEL_METRIC_EXPORT_INTERVAL", &mut self.interval)?;
        env.millis("OTEL_BSP_SCHEDULE_DELAY", &mut self.span_delay)?;
        env.parsed("OTEL_BSP_MAX_QUEUE_SIZE", &mut self.span_queue)?;
        env.parsed("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &mut self.span_batch)?;
        self.sampled = env.sampled(self.sampled)?;
        let temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        if let Some(text) = env.text(temporality) {
            self.temporality = match text.to_ascii_lowercase().as_str() {
                "cumulative" => Temporality::Cumulative,
                "delta" => Temporality::Delta,
                "lowmemory" => Temporality::LowMemory,
                _ => {
                    let reason = "is none of cumulative, delta, lowmemory";
                    return Err(SettingsError::new(temporality, text, reason));
                }
            };
        }
        Ok(self)
    }
}

struct Environment<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Environment<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
    }

    /// The name and value of the variable for one signal, else of that for all.
    fn of_signal(&self, signal: &str, rest: &str) -> Option<(String, String)> {
        let names =
            [format!("OTEL_EXPORTER_OTLP_{signal}_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
        names.into_iter().find_map(|name| self.text(&name).map(|value| (name, value)))
    }

    fn signal(
        &self,
        set: Option<Signal>,
        name: &str,
        path: &str,
    ) -> Result<Option<Signal>, SettingsError> {
        let exporter = format!("OTEL_{name}_EXPORTER");
        let asked_for = match self.text(&exporter).as_deref() {
            None => false,
            Some("otlp") => true,
            Some("none") => return Ok(None),
            Some(other) => {
                return Err(SettingsError::new(&exporter, other, "is neither otlp nor none"));
            }
        };
        let own = self.text(&format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT"));
        let shared = self.text("OTEL_EXPORTER_OTLP_ENDPOINT");
        if set.is_none() && own.is_none() && shared.is_none() && !asked_for {
            return Ok(None);
        }
        let mut protocol = set.as_ref().map(|it| it.protocol).unwrap_or_default();
        if let Some((name, text)) = self.of_signal(name, "PROTOCOL") {
            protocol = match text.as_str() {
                "grpc" => Protocol::Grpc,
                "http/protobuf" => Protocol::Http,
                _ => {
                    let reason = "is neither grpc nor http/protobuf";
                    return Err(SettingsError::new(&name, text, reason));
                }
            };
        }
        let local = match protocol {
            Protocol::Http => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        };
        let endpoint = own.or_else(|| shared.map(|it| protocol.endpoint(&it, path)));
        let mut signal =
            set.unwrap_or_else(|| Signal::new(protocol.endpoint(local, path), protocol));
        signal.protocol = protocol;
        if let Some(endpoint) = endpoint {
            signal.endpoint = endpoint;
        }
        if let Some((name, text)) = self.of_signal(name, "HEADERS") {
            let headers = pairs(&name, "[redacted]", &text)?.into_iter();
            signal.headers = headers.map(|(key, value)| (key, Secret::new(value))).collect();
        }
        if let Some((name, text)) = self.of_signal(name, "TIMEOUT") {
            signal.timeout = Duration::from_millis(parse(&name, &text)?);
        }
        if let Some((name, text)) = self.of_signal(name, "COMPRESSION") {
            signal.compression = match text.as_str() {
                "gzip" => Compression::Gzip,
                "none" => Compression::None,
                _ => return Err(SettingsError::new(&name, text, "is neither gzip nor none")),
            };
        }
        Ok(Some(signal))
    }

    fn sampled(&self, set: f64) -> Result<f64, SettingsError> {
        let (name, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        match self.text(name).as_deref() {
            None => Ok(set),
            Some("always_on" | "parentbased_always_on") => Ok(1.0),
            Some("always_off" | "parentbased_always_off") => Ok(0.0),
            Some("traceidratio" | "parentbased_traceidratio") => {
                let mut ratio = 1.0;
                self.parsed(argument, &mut ratio)?;
                Ok(ratio)
            }
            Some(other) => Err(SettingsError::new(name, other, "is no sampler that is known here")),
        }
    }

    fn pairs(&self, name: &str) -> Result<Option<Vec<(String, String)>>, SettingsError> {
        self.text(name).map(|text| pairs(name, &text, &text)).transpose()
    }

    fn millis(&self, name: &str, into: &mut Duration) -> Result<(), SettingsError> {
        if let Some(text) = self.text(name) {
            *into = Duration::from_millis(parse(name, &text)?);
        }
        Ok(())
    }

    fn parsed<T: FromStr>(&self, name: &str, into: &mut T) -> Result<(), SettingsError> {
        if let Some(text) = self.text(name) {
            *into = parse(name, &text)?;
        }
        Ok(())
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, SettingsError> {
    text.parse().map_err(|_| SettingsError::new(name, text, "is not such a number"))
}

/// `key=value,key=value`; values are percent-encoded. `shown` stands for the text in an error.
fn pairs(name: &str, shown: &str, text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
        (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.into_owned()))
    };
    let parts = text.split(',').filter(|it| !it.trim().is_empty());
    let read: Option<Vec<_>> = parts.map(pair).collect();
    read.ok_or_else(|| SettingsError::new(name, shown, "is not a list of `key=value`"))
}

#[cfg(test)]
mod tests;
