//! What the ports fail with: one shape, a kind for each port.

use std::error::Error;
use std::fmt;

/// A port failed: a kind that a caller can act on, and a message that reads well after a colon.
///
/// What the other side said of it stands apart, since that may repeat what it was asked, an entity's id and context
/// included: shown to whoever asked, it helps, and in a log above level debug it has no place.
#[derive(Debug)]
pub struct PortError<K> {
    kind: K,
    message: Box<str>,
    words: Option<Box<str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// A flag source failed.
pub type SourceError = PortError<SourceErrorKind>;

/// Flagr did not evaluate.
pub type RemoteError = PortError<RemoteErrorKind>;

/// An archive failed.
pub type ArchiveError = PortError<ArchiveErrorKind>;

/// Exposures were not taken for delivery.
pub type ExposeError = PortError<ExposeErrorKind>;

/// Flagr did not take exposures.
pub type DeliveryError = PortError<DeliveryErrorKind>;

/// What a caller can do about a [`SourceError`]. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The source did not answer, or not in time: try again.
    Unavailable,
    /// The source refuses the credentials: trying again is of no use until they change.
    Unauthorized,
    /// The source answered with something that is not flags.
    Invalid,
    /// The source was not asked: it did not answer before, and the breaker in front of it is open.
    Suspended,
}

/// What a [`RemoteError`] says about Flagr. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// Flagr did not answer, not in time, or with something that no Flagr gives: it is not well.
    Unavailable,
    /// Flagr refuses whoever asks, or has no such path; it is well.
    Refused,
    /// Flagr does not take this request: it is too long, or something in it is at fault. Flagr is well.
    BadRequest,
    /// Flagr failed at this flag's data (a 500 with a `PANIC` text); it is well otherwise.
    BadFlag,
    /// Flagr evaluated, and its answer holds data of a flag that cannot be read; it is well otherwise.
    BadAnswer,
    /// Flagr was not asked: it did not answer before, and the breaker in front of it is open.
    Suspended,
}

/// What an [`ArchiveError`] says. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveErrorKind {
    /// It could not be reached, read or written: try again.
    Unavailable,
    /// What it holds is cut, damaged, or not ours.
    Corrupt,
    /// It holds a later revision than the one that was to be saved.
    Superseded,
    /// Another process holds it.
    Locked,
    /// Of several archives one has taken the flags, and another one has not: confirming them tries it again.
    Incomplete,
}

/// Why exposures were not taken for delivery. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExposeErrorKind {
    /// Flagr would refuse this one.
    Invalid,
    /// Too many are waiting: try again later.
    Full,
    /// They cannot be written where they are to be kept: try again later.
    Unavailable,
    /// The client was stopped.
    Stopped,
    /// There is no Flagr to be told, or it has no path for exposures.
    NoFlagr,
}

/// What a [`DeliveryError`] says about Flagr. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryErrorKind {
    /// Flagr did not answer, not in time, or with something that no Flagr gives. Whether it took them is unknown.
    Unavailable,
    /// Flagr takes none from us: the credentials are wrong.
    Refused,
    /// Flagr has no path for exposures: it is too old, or it only evaluates.
    NotOffered,
    /// Flagr does not take these: they are too many, or one of them is at fault.
    BadBatch,
    /// Flagr was not asked: it did not answer before, and the breaker in front of it is open.
    Suspended,
}

impl<K> PortError<K> {
    /// An error with a message that reads well after a colon, and that repeats nothing of what was asked.
    pub fn new(kind: K, message: impl Into<Box<str>>) -> Self {
        Self { kind, message: message.into(), words: None, source: None }
    }

    /// Adds what the other side said.
    #[must_use]
    pub fn with_words(mut self, words: impl Into<Box<str>>) -> Self {
        self.words = Some(words.into());
        self
    }

    /// The same with another kind.
    #[must_use]
    pub fn with_kind(self, kind: K) -> Self {
        Self { kind, ..self }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> K
    where
        K: Copy,
    {
        self.kind
    }

    /// The message without what the other side said.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The message, and what the other side said.
impl<K> fmt::Display for PortError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.words {
            Some(words) => write!(f, "{}: {words}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl<K: fmt::Debug> Error for PortError<K> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn Error + 'static))
    }
}
