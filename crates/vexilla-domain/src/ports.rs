//! What the inner crates ask of the outer ones. `vexilla` wires implementations to them.

use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Context, Debug, Flag, FlagRef, Freshness, Problem,
};

/// Where flag definitions come from. Called by the refresher only.
#[async_trait]
pub trait FlagSource: fmt::Debug + Send + Sync {
    /// Fetches every flag the operator has defined, or learns that nothing changed.
    ///
    /// `seen` is the marker of the flags that the caller has; `None` asks for the flags in any case.
    ///
    /// # Errors
    ///
    /// When the flags cannot be had now. The caller goes on with those it has.
    async fn fetch(&self, seen: Option<&Marker>) -> Result<Fetch, SourceError>;

    /// The source in a few words, for people: `file examples/shop.json`. Never holds a secret.
    fn describe(&self) -> String;

    /// How strictly the flags are to be read.
    fn strictness(&self) -> Strictness;
}

/// What a source uses to tell one state of its flags from another. Opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    /// Flagr's largest snapshot id, where the source knows it.
    pub max_snapshot_id: Option<u64>,
    /// A fingerprint of the content, where the source has none better.
    pub content: u64,
}

/// A source's answer.
#[derive(Debug)]
pub enum Fetch {
    /// The flags are those that the caller has. The marker is to be used from now on: it may say more than the one the
    /// caller gave.
    Unchanged(Marker),
    /// The flags as they are now.
    Changed(Fetched),
}

/// All flags of a source.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The flags that could be read.
    pub flags: Vec<Flag>,
    /// One error for each flag that could not be read.
    pub problems: Vec<Problem>,
    /// Stands for these flags in the next [`FlagSource::fetch`].
    pub marker: Marker,
}

/// Which errors quarantine a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// All that Flagr checks when it loads a file (`flagr-semantics` 2.6): files.
    Checked,
    /// Only what Flagr itself could not load from its database: a segment whose expression does not parse.
    #[default]
    AsStored,
}

/// A flag source failed.
#[derive(Debug)]
pub struct SourceError {
    kind: SourceErrorKind,
    message: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

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
}

impl SourceError {
    /// An error with a message that reads well after a colon.
    pub fn new(kind: SourceErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn Error + 'static))
    }
}

/// Evaluation by Flagr itself, for flags whose decision it keeps to itself.
#[async_trait]
pub trait RemoteEvaluator: fmt::Debug + Send + Sync {
    /// One evaluation. It is never sent twice: Flagr may have recorded the first one.
    ///
    /// # Errors
    ///
    /// When Flagr does not give this answer now. The caller decides otherwise.
    async fn evaluate(
        &self,
        flag: FlagRef<'_>,
        context: &Context,
        debug: Debug,
    ) -> Result<Answer, RemoteError>;

    /// Each entity with each selected flag, in the order of [`Engine::evaluate_batch`], in as few requests as Flagr's
    /// limits allow. It is all or nothing.
    ///
    /// # Errors
    ///
    /// When Flagr does not give all of these answers now.
    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError>;
}

/// Flagr did not evaluate.
#[derive(Debug)]
pub struct RemoteError {
    kind: RemoteErrorKind,
    message: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a [`RemoteError`] says about Flagr. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// Flagr did not answer, not in time, or with something that no Flagr gives: it is not well.
    Unavailable,
    /// Flagr refused this request; it is well.
    Refused,
    /// Flagr failed at this flag's data (a 500 with a `PANIC` text); it is well otherwise.
    BadFlag,
}

impl RemoteError {
    /// An error with a message that reads well after a colon.
    pub fn new(kind: RemoteErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it says about Flagr.
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn Error + 'static))
    }
}

/// What a server may ask of a running client.
#[async_trait]
pub trait Engine: fmt::Debug + Send + Sync {
    /// Evaluates one flag as Flagr's `POST /evaluation` does. Never fails: what cannot be decided is a blank.
    async fn evaluate(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer;

    /// Evaluates each entity with each selected flag, all by the same rules, in Flagr's order: entity by entity, flags
    /// by tag, by id, by key. Ids and keys that are named twice count once.
    ///
    /// # Errors
    ///
    /// If there would be more than `most` answers; how many a tag selects is known only here. Nothing is evaluated.
    async fn evaluate_batch(
        &self,
        batch: Batch<'_>,
        most: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge>;

    /// The flags as Flagr's eval-cache export; `None` while nothing is loaded.
    async fn export(&self) -> Option<Export>;
}

/// The flags as a document.
#[derive(Debug, Clone)]
pub struct Export {
    /// `{"Flags":[…]}` and a newline.
    pub json: std::sync::Arc<[u8]>,
    /// Which publication of the rules this is, and how fresh.
    pub freshness: Freshness,
}

/// The time, where a test must be able to set it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now, by the calendar.
    fn now(&self) -> SystemTime;
}
