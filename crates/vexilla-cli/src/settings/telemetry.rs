//! Settings of what is shown of the sidecar's work: metrics, traces, events.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use vexilla::{FlagEvents, OtlpProtocol, OtlpSettings, OtlpSignal, Secret};
use vexilla_telemetry::{FromEnvironment, SettingsError};

use super::found::{Origins, Wrong, content};
use super::kind::{Address, Count, Hidden, Kind, Maybe, Named, OneOf, REDACTED, Shown, Switch};
use super::raw::Raw;
use super::table::section;

section! {
    /// Metrics, traces and events
    struct Telemetry for it: () {
        /// Show metrics as Prometheus text at the admin API's `/metrics`
        prometheus: Switch = true, [no_flag: Some("no-prometheus")];
        /// How many flags have a count of their evaluations of their own: those in most use, the others together. `0` counts
        /// no flag by itself
        flags: Count<usize> = 50;
        /// Whether each evaluation is an event of the log at level debug, by OpenTelemetry's conventions for feature flags;
        /// `with_entity` names the entity too
        flag_events: OneOf<FlagEvents> = FlagEvents::Off;
        /// Where metrics and traces are sent by OpenTelemetry's protocol: `http://localhost:4318`. OpenTelemetry's own
        /// variables, `OTEL_…`, go before this, and set what has no setting here
        otlp_endpoint: Maybe<Address> = None;
        /// How they are sent there: `http` or `grpc`
        otlp_protocol: OneOf<OtlpProtocol> = OtlpProtocol::Http;
        /// Headers to send along, such as the collector's credentials, written as in `OTEL_EXPORTER_OTLP_HEADERS`
        otlp_headers: OtlpHeaders = None;
    }
}

impl Named for FlagEvents {
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("on", Self::On), ("with_entity", Self::WithEntity)];
}

impl Named for OtlpProtocol {
    const NAMES: &'static [(&'static str, Self)] = &[("http", Self::Http), ("grpc", Self::Grpc)];
}

/// The longest file that a variable of OpenTelemetry may name, in bytes.
const MOST: u64 = 1 << 20;

/// Headers with secret values. Empty stands for none.
#[derive(Clone)]
pub(crate) struct OtlpHeaders {
    text: Secret,
    read: Vec<(String, Secret)>,
}

impl fmt::Debug for OtlpHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Kind for OtlpHeaders {
    type Value = Option<Self>;
    const SECRET: bool = true;

    fn shape() -> String {
        "secret text `name=value,name=value`, values percent-encoded".to_owned()
    }

    fn read(raw: &Raw) -> Result<Option<Self>, String> {
        let Some(text) = Hidden::read(raw)? else { return Ok(None) };
        let read = OtlpSignal::read_headers("", text.reveal()).map_err(|error| {
            let reason = error.reason();
            let bare = reason.strip_prefix(&format!("`{REDACTED}` "));
            bare.unwrap_or(&reason).to_owned()
        })?;
        Ok(Some(Self { text, read }))
    }

    fn shown(value: &Option<Self>) -> Shown {
        Hidden::shown(&value.as_ref().map(|it| it.text.clone()))
    }
}

impl Telemetry {
    /// Where metrics and traces are sent, by these settings and by OpenTelemetry's variables, which name files of
    /// certificates too.
    pub(crate) fn otlp(&self, otel: &BTreeMap<String, String>) -> FromEnvironment {
        let get = |variable: &str| otel.get(variable).cloned();
        let mut found = self.sent().with_env(get, |path| content(Path::new(path), MOST));
        let settings = &mut found.settings;
        // Also where the address comes from a variable.
        for (field, signal) in
            [("metrics.headers", &mut settings.metrics), ("traces.headers", &mut settings.traces)]
        {
            if let (Some(signal), Some(headers)) = (signal, &self.otlp_headers)
                && !found.origins.contains_key(field)
            {
                signal.headers.clone_from(&headers.read);
            }
        }
        found
    }

    /// Refuses what cannot work.
    pub(crate) fn check(&self, origins: &Origins) -> Result<(), Wrong> {
        let path = "telemetry.otlp_endpoint";
        let wrong =
            |error: SettingsError| Wrong::new(&origins.of_setting(path), path, error.reason());
        self.sent().check().map_err(wrong)
    }

    fn sent(&self) -> OtlpSettings {
        match &self.otlp_endpoint {
            Some(endpoint) => OtlpSettings::to(endpoint, self.otlp_protocol),
            None => OtlpSettings::default(),
        }
    }
}
