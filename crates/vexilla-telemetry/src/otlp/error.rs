//! What can be wrong with settings, and with an end.

use std::error::Error;
use std::{fmt, io};

use opentelemetry_sdk::error::OTelSdkError;
use vexilla_domain::with_causes;

type Cause = Box<dyn Error + Send + Sync>;

/// A setting that cannot work: which one, its value, and why. Secrets are not shown.
#[derive(Debug, thiserror::Error)]
#[error("{field}: `{value}` {reason}")]
pub struct SettingsError {
    field: Box<str>,
    value: Box<str>,
    reason: &'static str,
    #[source]
    source: Option<Cause>,
}

impl SettingsError {
    pub(super) fn new(field: &str, value: impl fmt::Display, reason: &'static str) -> Self {
        let value = value.to_string().into();
        Self { field: field.into(), value, reason, source: None }
    }

    pub(super) fn caused_by(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What is wrong about its value: the error without the field.
    pub fn reason(&self) -> String {
        let whole = with_causes(self);
        whole.strip_prefix(&format!("{}: ", self.field)).unwrap_or(&whole).to_owned()
    }

    /// The member of [`OtlpSettings`](crate::OtlpSettings) or the variable that is wrong.
    pub fn field(&self) -> &str {
        &self.field
    }
}

/// Not everything was sent at the end.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ShutdownError {
    what: &'static str,
    #[source]
    source: Option<Cause>,
}

impl ShutdownError {
    pub(super) fn late() -> Self {
        Self { what: "telemetry could not be sent in time", source: None }
    }

    pub(super) fn unsent(source: OTelSdkError) -> Self {
        Self { what: "telemetry could not be sent", source: Some(source.into()) }
    }

    pub(super) fn no_thread(source: io::Error) -> Self {
        Self { what: "no thread to send telemetry from", source: Some(source.into()) }
    }
}
