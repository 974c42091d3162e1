//! Where telemetry goes, and how.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use vexilla_domain::Secret;

use super::error::SettingsError;

/// What is sent, where to, and how often. By default nothing is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OtlpSettings {
    /// Where metrics go, if anywhere.
    pub metrics: Option<Signal>,
    /// Where traces go, if anywhere.
    pub traces: Option<Signal>,
    /// What this service is called: `vexilla`.
    pub service_name: String,
    /// What else tells this process from others, such as `service.instance.id`.
    pub resource: Vec<(String, String)>,
    /// How often metrics are sent: 60 s.
    pub interval: Duration,
    /// Whether metrics count from the start or since they were last sent: from the start.
    pub temporality: Temporality,
    /// Which part of the traces that begin here is sent, 0 to 1: 1.
    pub sampled: f64,
    /// Whether traces that come in have that decided already: so they do.
    pub follows_parent: bool,
    /// How many ended spans wait at most; further ones are dropped: 2048.
    pub span_queue: usize,
    /// How many spans are sent at once at most: 512.
    pub span_batch: usize,
    /// How long ended spans wait for others to be sent with: 5 s.
    pub span_delay: Duration,
}

impl OtlpSettings {
    /// Sends metrics and traces to this collector, such as `http://localhost:4318`.
    pub fn to(endpoint: &str, protocol: Protocol) -> Self {
        let signal = |path| Some(Signal::new(protocol.endpoint(endpoint, path), protocol));
        Self { metrics: signal(METRICS_PATH), traces: signal(TRACES_PATH), ..Self::default() }
    }

    /// Whether anything is sent.
    pub fn is_on(&self) -> bool {
        self.metrics.is_some() || self.traces.is_some()
    }

    /// Refuses what cannot work. Whether a collector is there is not asked.
    ///
    /// # Errors
    ///
    /// The first setting that cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        for (name, signal) in [("metrics", &self.metrics), ("traces", &self.traces)] {
            signal.as_ref().map_or(Ok(()), |it| it.check(name))?;
        }
        let durations = [("interval", self.interval), ("span_delay", self.span_delay)];
        if let Some((field, _)) = durations.into_iter().find(|(_, it)| it.is_zero()) {
            return Err(SettingsError::new(field, "0s", "leaves no time"));
        }
        let sizes = [("span_queue", self.span_queue), ("span_batch", self.span_batch)];
        if let Some((field, _)) = sizes.into_iter().find(|(_, it)| *it == 0) {
            return Err(SettingsError::new(field, 0, "leaves no room"));
        }
        if !(0.0..=1.0).contains(&self.sampled) {
            return Err(SettingsError::new("sampled", self.sampled, "is not between 0 and 1"));
        }
        Ok(())
    }
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self {
            metrics: None,
            traces: None,
            service_name: "vexilla".to_owned(),
            resource: Vec::new(),
            interval: Duration::from_secs(60),
            temporality: Temporality::Cumulative,
            sampled: 1.0,
            follows_parent: true,
            span_queue: 2048,
            span_batch: 512,
            span_delay: Duration::from_secs(5),
        }
    }
}

pub(super) const METRICS_PATH: &str = "/v1/metrics";
pub(super) const TRACES_PATH: &str = "/v1/traces";

/// Where one signal goes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Signal {
    /// The address, whole: over HTTP it ends in `/v1/metrics` or `/v1/traces` as a rule.
    pub endpoint: String,
    /// How it is sent.
    pub protocol: Protocol,
    /// Headers to send along, such as the collector's credentials.
    pub headers: Vec<(String, Secret)>,
    /// How long one sending may take, repetitions included: 10 s.
    pub timeout: Duration,
    /// Whether it is made smaller.
    pub compression: Compression,
    /// Certificates to trust besides those of the system, in PEM.
    pub extra_roots: Vec<u8>,
    /// Our certificate and its key, in PEM, for a collector that asks who we are.
    pub client_certificate: Option<(Vec<u8>, Secret)>,
}

impl Signal {
    /// Sends to this address.
    pub fn new(endpoint: impl Into<String>, protocol: Protocol) -> Self {
        Self {
            endpoint: endpoint.into(),
            protocol,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            compression: Compression::None,
            extra_roots: Vec::new(),
            client_certificate: None,
        }
    }

    /// Reads headers as `OTEL_EXPORTER_OTLP_HEADERS` has them: `name=value,name=value`, with what is special in a value
    /// percent-encoded. `field` is what an error calls them.
    ///
    /// # Errors
    ///
    /// If it is no such list, or holds what cannot be a header. The error shows no value.
    pub fn read_headers(field: &str, text: &str) -> Result<Vec<(String, Secret)>, SettingsError> {
        let refused = |reason| SettingsError::new(field, "[redacted]", reason);
        let pairs = pairs(text).filter(|it| !it.is_empty()).ok_or_else(|| refused(NO_PAIRS))?;
        let headers: Vec<_> =
            pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        header_map(&headers).map_err(|_| refused("holds what cannot be a header"))?;
        Ok(headers)
    }

    /// Refuses an address that cannot be sent to, as that of this field.
    pub(super) fn check_endpoint(&self, field: &str) -> Result<(), SettingsError> {
        let Ok(uri) = self.endpoint.parse::<Uri>() else {
            return Err(SettingsError::new(field, &self.endpoint, "is no address"));
        };
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            let reason = "holds a credential: that belongs into a header";
            return Err(SettingsError::new(field, "[redacted]", reason));
        }
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            let reason = "does not begin with `http://` or `https://`";
            return Err(SettingsError::new(field, &self.endpoint, reason));
        }
        Ok(())
    }

    fn check(&self, name: &str) -> Result<(), SettingsError> {
        self.check_endpoint(&format!("{name}.endpoint"))?;
        if self.timeout.is_zero() {
            return Err(SettingsError::new(&format!("{name}.timeout"), "0s", "leaves no time"));
        }
        self.header_map().map(|_| ())
    }

    /// Whether it goes over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.endpoint.get(..6).is_some_and(|it| it.eq_ignore_ascii_case("https:"))
    }

    pub(super) fn header_map(&self) -> Result<HeaderMap, SettingsError> {
        header_map(&self.headers)
    }
}

fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, SettingsError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let Ok(header) = HeaderName::try_from(name) else {
            return Err(SettingsError::new("headers", name, "cannot be the name of a header"));
        };
        let Ok(mut value) = HeaderValue::try_from(value.reveal()) else {
            return Err(SettingsError::new(name, "[redacted]", "cannot be a header's value"));
        };
        value.set_sensitive(true);
        map.insert(header, value);
    }
    Ok(map)
}

pub(super) const NO_PAIRS: &str = "is not a list of `key=value`";

/// `key=value,key=value`; values are percent-encoded.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
        (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.into_owned()))
    };
    text.split(',').filter(|it| !it.trim().is_empty()).map(pair).collect()
}

/// How telemetry is sent. There will be no further ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Protobuf over HTTP/1.1, to port 4318 as a rule.
    #[default]
    Http,
    /// gRPC, to port 4317 as a rule.
    Grpc,
}

impl Protocol {
    /// The address of a signal at a collector. gRPC has one for all.
    pub(super) fn endpoint(self, base: &str, path: &str) -> String {
        match self {
            Self::Http => format!("{}{path}", base.trim_end_matches('/')),
            Self::Grpc => base.to_owned(),
        }
    }
}

/// Whether what is sent is made smaller. There will be no further ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As it is.
    #[default]
    None,
    /// By gzip.
    Gzip,
}

/// What a metric that is sent again counts from. There will be no further ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Temporality {
    /// From the start.
    #[default]
    Cumulative,
    /// From when it was last sent.
    Delta,
    /// Counters and histograms from when they were last sent, what is read when it is sent from the start.
    LowMemory,
}

#[cfg(test)]
mod tests;
