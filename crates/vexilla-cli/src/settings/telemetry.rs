//! Settings of what is shown of the sidecar's work: metrics, traces, events.

use std::collections::BTreeMap;
use std::fs;

use vexilla::{FlagEvents, OtlpProtocol, OtlpSettings};

use super::kind::{Address, Count, Maybe, Named, OneOf, Switch};
use super::table::section;
use crate::error::CommandError;

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

impl Telemetry {
    /// Where metrics and traces are sent, by these settings and by OpenTelemetry's variables, which name files of
    /// certificates too.
    pub(crate) fn otlp(
        &self,
        otel: &BTreeMap<String, String>,
    ) -> Result<OtlpSettings, CommandError> {
        let get = |variable: &str| otel.get(variable).cloned();
        let wrong = |variable: &str, reason: String| CommandError::At {
            place: format!("environment variable {variable}"),
            source: reason.into(),
        };
        let settings = match &self.otlp_endpoint {
            Some(endpoint) => OtlpSettings::to(endpoint, self.otlp_protocol),
            None => OtlpSettings::default(),
        };
        let mut settings =
            settings.with_env(get).map_err(|error| wrong(error.field(), error.reason()))?;
        for (signal, own) in [
            (&mut settings.metrics, "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE"),
            (&mut settings.traces, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"),
        ] {
            let Some(signal) = signal else { continue };
            let named = [own, "OTEL_EXPORTER_OTLP_CERTIFICATE"].into_iter().find_map(|variable| {
                get(variable).filter(|it| !it.is_empty()).map(|path| (variable, path))
            });
            if let Some((variable, path)) = named {
                signal.extra_roots = fs::read(&path).map_err(|error| {
                    wrong(variable, format!("`{path}` cannot be read: {error}"))
                })?;
            }
        }
        Ok(settings)
    }
}
