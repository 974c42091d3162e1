//! Why a client could not be made, started or refreshed.

use std::fmt;
use std::time::Duration;

use vexilla_domain::{ArchiveError, PortError, Reason, SourceError, SourceErrorKind, with_causes};

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

    /// Why it cannot work.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A client did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot work. Nothing was started.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The folder for the archive cannot be used. Nothing was started.
    #[error("the archive: {0}")]
    Archive(ArchiveError),
    /// The folder for exposures cannot be used. Nothing is left running.
    #[error("the spool of exposures: {0}")]
    Spool(ArchiveError),
    /// The flags could not be loaded. Nothing is left running.
    #[error("the first load failed: {0}")]
    Load(RefreshError),
    /// The flags could not be loaded in time. Nothing is left running.
    #[error("no flags within {0:?}")]
    Timeout(Duration),
    /// A server cannot listen where it should. Nothing is left running.
    #[cfg(feature = "server")]
    #[error(transparent)]
    Listen(vexilla_server::BindError),
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

impl From<RefreshError> for SourceError {
    fn from(error: RefreshError) -> Self {
        Self::new(error.kind, error.message)
    }
}

/// Nothing could decide a flag, and [`Fallback::Error`](crate::Fallback::Error) makes that an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flag `{flag}` cannot be decided: {}", reason.as_str())]
pub struct Undecided {
    flag: Box<str>,
    reason: Reason,
}

impl Undecided {
    pub(crate) fn new(flag: &str, reason: Reason) -> Self {
        Self { flag: flag.into(), reason }
    }

    /// The flag's key.
    pub fn flag(&self) -> &str {
        &self.flag
    }

    /// Why nothing could decide.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// An error of a port with its causes, without what the other side said: that may repeat what it was asked.
pub(crate) fn brief<K: fmt::Debug + 'static>(error: &PortError<K>) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{}: {}", error.message(), with_causes(source)),
        None => error.message().to_owned(),
    }
}
