//! Settings of what is shown of the sidecar's work: metrics, traces, events.

use std::collections::BTreeMap;
use std::path::Path;

use vexilla::{FlagEvents, OtlpProtocol, OtlpSettings};
use vexilla_telemetry::{FromEnvironment, SettingsError};

use super::found::{Origins, Wrong, content};
use super::kind::{Address, Count, Maybe, Named, OneOf, Switch};
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

impl Telemetry {
    /// Where metrics and traces are sent, by these settings and by OpenTelemetry's variables, which name files of
    /// certificates too.
    pub(crate) fn otlp(&self, otel: &BTreeMap<String, String>) -> FromEnvironment {
        let get = |variable: &str| otel.get(variable).cloned();
        self.sent().with_env(get, |path| content(Path::new(path), MOST))
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
