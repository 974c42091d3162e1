//! Why a client could not be made, started or refreshed.

use std::time::Duration;

use vexilla_domain::{SourceError, SourceErrorKind};

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct ConfigError {
    field: &'static str,
    reason: Box<str>,
}

impl ConfigError {
    pub(crate) fn new(field: &'static str, reason: impl Into<Box<str>>) -> Self {
        Self { field, reason: reason.into() }
    }

    /// The setting.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// A client did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot work. Nothing was started.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The flags could not be loaded. Nothing is left running.
    #[error("the first load failed: {0}")]
    Load(RefreshError),
    /// The flags could not be loaded in time. Nothing is left running.
    #[error("no flags within {0:?}")]
    Timeout(Duration),
}

/// A refresh failed; the flags that were there before are served on.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct RefreshError {
    kind: SourceErrorKind,
    message: Box<str>,
}

impl RefreshError {
    pub(crate) fn new(kind: SourceErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What can be done about it.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }
}

impl From<SourceError> for RefreshError {
    fn from(error: SourceError) -> Self {
        // What lies between says the same in other words.
        let causes = std::iter::successors(std::error::Error::source(&error), |it| it.source());
        let message = match causes.last() {
            Some(root) => format!("{error}: {root}"),
            None => error.to_string(),
        };
        Self::new(error.kind(), message)
    }
}
