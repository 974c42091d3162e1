//! The variables that OpenTelemetry defines for all languages.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use vexilla_domain::Secret;

use super::error::SettingsError;
use super::settings::{
    Compression, METRICS_PATH, NO_PAIRS, OtlpSettings, Protocol, Signal, TRACES_PATH, Temporality,
    pairs,
};

/// What came of the `OTEL_…` variables.
#[derive(Debug)]
#[non_exhaustive]
pub struct FromEnvironment {
    /// The settings with what the variables say in place of what was set.
    pub settings: OtlpSettings,
    /// Which variable each setting was taken from that one says, by the member of [`OtlpSettings`], such as
    /// `metrics.endpoint`.
    pub origins: BTreeMap<String, String>,
    /// What is ignored: values that mean nothing, and variables that have no effect here.
    pub ignored: Vec<SettingsError>,
}

/// Variables of OpenTelemetry with which nothing is done here.
const WITHOUT_EFFECT: [&str; 7] = [
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_CONFIG_FILE",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_PROPAGATORS",
];

impl OtlpSettings {
    /// These settings, and in place of them whatever the `OTEL_…` variables say. `get` gives the value of a variable, and
    /// `read` what a file holds that one names, or why it cannot be read.
    ///
    /// A signal is sent when there is an endpoint for it, or when `OTEL_METRICS_EXPORTER` or `OTEL_TRACES_EXPORTER` is
    /// `otlp`. As OpenTelemetry wants it, a value that means nothing is ignored, and named; an empty one counts as not set.
    pub fn with_env(
        mut self,
        get: impl Fn(&str) -> Option<String>,
        read: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> FromEnvironment {
        let env = Environment {
            get: &get,
            read: &read,
            origins: RefCell::default(),
            ignored: RefCell::default(),
        };
        if env.is_disabled() {
            (self.metrics, self.traces) = (None, None);
            return env.done(self);
        }
        self.metrics = env.signal(self.metrics, "METRICS", METRICS_PATH);
        self.traces = env.signal(self.traces, "TRACES", TRACES_PATH);
        env.resource(&mut self);
        let millis = |text: &str| text.parse().ok().filter(|it| 0 < *it).map(Duration::from_millis);
        let size = |text: &str| text.parse().ok().filter(|it| 0 < *it);
        env.take("interval", "OTEL_METRIC_EXPORT_INTERVAL", NO_TIME, millis, &mut self.interval);
        env.take("span_delay", "OTEL_BSP_SCHEDULE_DELAY", NO_TIME, millis, &mut self.span_delay);
        env.take("span_queue", "OTEL_BSP_MAX_QUEUE_SIZE", NO_SIZE, size, &mut self.span_queue);
        let batch = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        env.take("span_batch", batch, NO_SIZE, size, &mut self.span_batch);
        env.sampler(&mut self);
        let temporality = |text: &str| match text.to_ascii_lowercase().as_str() {
            "cumulative" => Some(Temporality::Cumulative),
            "delta" => Some(Temporality::Delta),
            "lowmemory" => Some(Temporality::LowMemory),
            _ => None,
        };
        env.take(
            "temporality",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "is none of cumulative, delta, lowmemory",
            temporality,
            &mut self.temporality,
        );
        env.name_the_rest();
        env.done(self)
    }
}

const NO_TIME: &str = "is no number of milliseconds from 1";
const NO_SIZE: &str = "is no number from 1";

struct Environment<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
    origins: RefCell<BTreeMap<String, String>>,
    ignored: RefCell<Vec<SettingsError>>,
}

impl Environment<'_> {
    fn done(self, settings: OtlpSettings) -> FromEnvironment {
        let (origins, ignored) = (self.origins.into_inner(), self.ignored.into_inner());
        FromEnvironment { settings, origins, ignored }
    }

    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
    }

    /// The name and value of the variable for one signal, else of that for all.
    fn of_signal(&self, signal: &str, rest: &str) -> Option<(String, String)> {
        let names =
            [format!("OTEL_EXPORTER_OTLP_{signal}_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
        names.into_iter().find_map(|name| self.text(&name).map(|value| (name, value)))
    }

    fn comes_from(&self, field: impl Into<String>, variable: &str) {
        self.origins.borrow_mut().insert(field.into(), variable.to_owned());
    }

    fn ignore(&self, variable: &str, value: &str, reason: &'static str) {
        self.refuse(SettingsError::new(variable, value, reason));
    }

    /// What is for both signals is named once.
    fn refuse(&self, error: SettingsError) {
        let mut ignored = self.ignored.borrow_mut();
        let is_same = |it: &SettingsError| it.to_string() == error.to_string();
        if !ignored.iter().any(is_same) {
            ignored.push(error);
        }
    }

    /// Takes a value that means something.
    fn take<T>(
        &self,
        field: &str,
        variable: &str,
        reason: &'static str,
        read: impl Fn(&str) -> Option<T>,
        into: &mut T,
    ) {
        let Some(text) = self.text(variable) else { return };
        match read(&text) {
            Some(value) => {
                *into = value;
                self.comes_from(field, variable);
            }
            None => self.ignore(variable, &text, reason),
        }
    }

    fn is_disabled(&self) -> bool {
        let variable = "OTEL_SDK_DISABLED";
        let Some(text) = self.text(variable) else { return false };
        match text.to_ascii_lowercase().as_str() {
            "true" => {
                self.comes_from("metrics", variable);
                self.comes_from("traces", variable);
                return true;
            }
            "false" => {}
            _ => self.ignore(variable, &text, "is neither true nor false"),
        }
        false
    }

    fn signal(&self, set: Option<Signal>, name: &str, path: &str) -> Option<Signal> {
        let part = name.to_ascii_lowercase();
        let exporter = format!("OTEL_{name}_EXPORTER");
        let mut asked_for = false;
        // A list: what is known counts, whatever else is asked for beside it.
        for exporter_named in
            self.text(&exporter).iter().flat_map(|it| it.split(',')).map(str::trim)
        {
            match exporter_named {
                "otlp" => asked_for = true,
                "none" => {
                    self.comes_from(part, &exporter);
                    return None;
                }
                other => self.ignore(&exporter, other, "is neither otlp nor none"),
            }
        }
        let protocol = self.protocol(&part, name, set.as_ref());
        let endpoint = self.endpoint(&part, name, protocol, path);
        if set.is_none() && endpoint.is_none() && !asked_for {
            return None;
        }
        if asked_for && set.is_none() && endpoint.is_none() {
            self.comes_from(format!("{part}.endpoint"), &exporter);
        }
        let local = match protocol {
            Protocol::Http => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        };
        let mut signal =
            set.unwrap_or_else(|| Signal::new(protocol.endpoint(local, path), protocol));
        signal.protocol = protocol;
        signal.endpoint = endpoint.unwrap_or(signal.endpoint);
        self.headers(&part, name, &mut signal);
        self.own(&part, name, "TIMEOUT", NO_TIME, &mut signal.timeout, |text| {
            text.parse().ok().filter(|it| 0 < *it).map(Duration::from_millis)
        });
        let reason = "is neither gzip nor none";
        self.own(&part, name, "COMPRESSION", reason, &mut signal.compression, |text| match text {
            "gzip" => Some(Compression::Gzip),
            "none" => Some(Compression::None),
            _ => None,
        });
        self.certificates(&part, name, &mut signal);
        Some(signal)
    }

    /// Takes what a variable for this signal, or for all, says of its `field`.
    fn own<T>(
        &self,
        part: &str,
        signal: &str,
        rest: &str,
        reason: &'static str,
        into: &mut T,
        read: impl Fn(&str) -> Option<T>,
    ) {
        if let Some((variable, _)) = self.of_signal(signal, rest) {
            let field = format!("{part}.{}", rest.to_ascii_lowercase());
            self.take(&field, &variable, reason, read, into);
        }
    }

    fn protocol(&self, part: &str, name: &str, set: Option<&Signal>) -> Protocol {
        let mut protocol = set.map(|it| it.protocol).unwrap_or_default();
        let reason = "is neither grpc nor http/protobuf";
        self.own(part, name, "PROTOCOL", reason, &mut protocol, |text| match text {
            "grpc" => Some(Protocol::Grpc),
            "http/protobuf" => Some(Protocol::Http),
            _ => None,
        });
        protocol
    }

    /// The address that the variables name, if it can be sent to.
    fn endpoint(&self, part: &str, name: &str, protocol: Protocol, path: &str) -> Option<String> {
        let own = format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT");
        let shared = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let given = [
            self.text(&own).map(|it| (own.as_str(), it)),
            self.text(shared).map(|it| (shared, protocol.endpoint(&it, path))),
        ];
        given.into_iter().flatten().find_map(|(variable, endpoint)| {
            match Signal::new(endpoint.as_str(), protocol).check_endpoint(variable) {
                Ok(()) => {
                    self.comes_from(format!("{part}.endpoint"), variable);
                    Some(endpoint)
                }
                Err(error) => {
                    self.refuse(error);
                    None
                }
            }
        })
    }

    fn headers(&self, part: &str, name: &str, signal: &mut Signal) {
        let Some((variable, text)) = self.of_signal(name, "HEADERS") else { return };
        match Signal::read_headers(&variable, &text) {
            Ok(headers) => signal.headers = headers,
            Err(error) => return self.refuse(error),
        }
        self.comes_from(format!("{part}.headers"), &variable);
    }

    fn certificates(&self, part: &str, name: &str, signal: &mut Signal) {
        if let Some((variable, roots)) = self.file(name, "CERTIFICATE") {
            signal.extra_roots = roots;
            self.comes_from(format!("{part}.extra_roots"), &variable);
        }
        let certificate = self.file(name, "CLIENT_CERTIFICATE");
        let key = self.file(name, "CLIENT_KEY");
        let alone = "needs the other one of the client's certificate and its key";
        match (certificate, key) {
            (None, None) => {}
            (Some((variable, chain)), Some((of_key, key))) => match String::from_utf8(key) {
                Ok(key) => {
                    signal.client_certificate = Some((chain, Secret::new(key)));
                    self.comes_from(format!("{part}.client_certificate"), &variable);
                }
                Err(_) => self.ignore(&of_key, "[redacted]", "is no key in PEM"),
            },
            (Some((variable, _)), None) | (None, Some((variable, _))) => {
                self.ignore(&variable, "[PEM]", alone);
            }
        }
    }

    /// The file that a variable names.
    fn file(&self, signal: &str, rest: &str) -> Option<(String, Vec<u8>)> {
        let (variable, path) = self.of_signal(signal, rest)?;
        match (self.read)(&path) {
            Ok(content) => Some((variable, content)),
            Err(reason) => {
                let error = SettingsError::new(&variable, &path, "cannot be read");
                self.refuse(error.caused_by(reason));
                None
            }
        }
    }

    fn resource(&self, settings: &mut OtlpSettings) {
        let (all, name) = ("OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME");
        if let Some(text) = self.text(all) {
            match pairs(&text) {
                None => self.ignore(all, &text, NO_PAIRS),
                Some(pairs) => {
                    self.comes_from("resource", all);
                    for (key, value) in pairs {
                        if key == "service.name" {
                            settings.service_name = value;
                            self.comes_from("service_name", all);
                        } else {
                            settings.resource.push((key, value));
                        }
                    }
                }
            }
        }
        if let Some(text) = self.text(name) {
            settings.service_name = text;
            self.comes_from("service_name", name);
        }
    }

    fn sampler(&self, settings: &mut OtlpSettings) {
        let (variable, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        let Some(text) = self.text(variable) else {
            if let Some(value) = self.text(argument) {
                self.ignore(argument, &value, "needs OTEL_TRACES_SAMPLER");
            }
            return;
        };
        let (follows_parent, kind) = match text.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, text.as_str()),
        };
        let sampled = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => {
                let mut ratio = 1.0;
                let read = |it: &str| f64::from_str(it).ok().filter(|it| (0.0..=1.0).contains(it));
                self.take("sampled", argument, "is not between 0 and 1", read, &mut ratio);
                ratio
            }
            _ => return self.ignore(variable, &text, "is no sampler that is known here"),
        };
        (settings.follows_parent, settings.sampled) = (follows_parent, sampled);
        self.comes_from("follows_parent", variable);
        self.origins.borrow_mut().entry("sampled".into()).or_insert_with(|| variable.to_owned());
    }

    fn name_the_rest(&self) {
        for variable in WITHOUT_EFFECT {
            let text = self.text(variable);
            // What is asked for is what is done.
            let is_done = |it: &str| variable == "OTEL_PROPAGATORS" && it == "tracecontext";
            if let Some(text) = text.filter(|it| !is_done(it)) {
                self.ignore(variable, &text, "has no effect here");
            }
        }
        let logs = "OTEL_LOGS_EXPORTER";
        if let Some(text) = self.text(logs).filter(|it| it != "none") {
            self.ignore(logs, &text, "has no effect here: logs go to standard error");
        }
    }
}

#[cfg(test)]
mod tests;
