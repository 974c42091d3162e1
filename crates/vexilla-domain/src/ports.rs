//! What the inner crates ask of the outer ones. `vexilla` wires implementations to them.

// tidy: long because the ports are read in one place.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use crate::json::{Document, Rows, flags_in, read_written};
use crate::{
    Answer, ArchiveError, ArchiveLayer, Archived, Batch, BatchAnswer, BatchTooLarge, Confirmation,
    Context, Debug, DeliveryError, Explanation, ExposeError, Exposure, Flag, FlagId, FlagRef,
    Freshness, Readiness, RemoteCall, RemoteError, RowError, SourceError, Stats,
};

/// Where flag definitions come from. Called by the refresher only.
#[async_trait]
pub trait FlagSource: fmt::Debug + Send + Sync {
    /// Fetches every flag the operator has defined, or learns that nothing changed. Never waits for a lagging server: it
    /// says in [`Fetch::again_in`] when to ask again.
    ///
    /// `seen` is the marker of the flags that the caller has; `None` asks for the flags in any case.
    ///
    /// # Errors
    ///
    /// When the flags cannot be had now. The caller goes on with those it has.
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError>;

    /// The same as [`fetch`](Self::fetch) with flags that are read one at a time, so that many of them need little memory.
    /// Sources that have nothing better read them all, as this does.
    ///
    /// # Errors
    ///
    /// As for [`fetch`](Self::fetch).
    async fn fetch_rows(
        &self,
        seen: Option<&Marker>,
        depth: Depth,
    ) -> Result<Fetch<Rows>, SourceError> {
        Ok(self.fetch(seen, depth).await?.map(Rows::from))
    }

    /// One flag as it is at this moment, whatever [`fetch`](Self::fetch) may lag behind. Sources that have nothing
    /// better than all their flags say [`FlagState::Unknown`], as this does.
    ///
    /// # Errors
    ///
    /// When it cannot be had now.
    async fn fetch_flag(&self, flag: FlagRef<'_>) -> Result<FlagState, SourceError> {
        let _ = flag;
        Ok(FlagState::Unknown)
    }

    /// Asks whether the source is there at all.
    ///
    /// # Errors
    ///
    /// If it is not. Sources that are always there never fail, as this.
    async fn health(&self) -> Result<(), SourceError> {
        Ok(())
    }

    /// The source in a few words, for people: `file examples/shop.json`. Never holds a secret.
    fn describe(&self) -> String;

    /// How strictly the flags are to be read.
    fn strictness(&self) -> Strictness;
}

/// How thoroughly a source looks whether anything changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// By its cheapest sign.
    #[default]
    Probe,
    /// By reading all flags: some changes show no cheaper sign.
    Full,
    /// By reading all flags, which are wanted in any case: the caller does not have all that it once had.
    Anew,
}

/// What a source uses to tell one state of its flags from another. Opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    /// Flagr's largest snapshot id whose change is known to be in the flags, where the source knows it.
    pub max_snapshot_id: Option<u64>,
    /// A fingerprint of the content. The same for the same flags, in every process.
    pub content: u64,
}

/// A source's answer.
#[derive(Debug)]
pub struct Fetch<F = Document> {
    /// The flags as they are now; `None` when they are those that the caller has.
    pub changed: Option<F>,
    /// Stands for these flags in the next [`FlagSource::fetch`], also when nothing changed: it may say more than the one
    /// the caller gave.
    pub marker: Marker,
    /// Set when the source knows of a change that is not in these flags yet: ask again after this time.
    pub again_in: Option<Duration>,
}

impl<F> Fetch<F> {
    /// The same answer with the flags in another form.
    pub fn map<G>(self, f: impl FnOnce(F) -> G) -> Fetch<G> {
        let Self { changed, marker, again_in } = self;
        Fetch { changed: changed.map(f), marker, again_in }
    }
}

/// One flag at its source.
#[derive(Debug, Clone, PartialEq)]
pub enum FlagState {
    /// It is this. A snapshot id of 0 means that the source does not number its changes.
    Found(Box<Flag>),
    /// There is no such flag (any more). `newest` is the largest snapshot id that the source had then, 0 when unknown: a
    /// flag of this id that carries a larger one was made or restored later.
    Gone {
        /// Its id, where it could be told; 0 otherwise.
        id: FlagId,
        /// The source's largest snapshot id.
        newest: u64,
    },
    /// The source cannot tell for one flag: fetch them all.
    Unknown,
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

/// Evaluation by Flagr itself, for flags whose decision it keeps to itself.
#[async_trait]
pub trait RemoteEvaluator: fmt::Debug + Send + Sync {
    /// One evaluation. It is never sent twice: Flagr may have recorded the first one.
    ///
    /// # Errors
    ///
    /// When Flagr does not give this answer now. The caller decides otherwise.
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError>;

    /// Each entity with each selected flag, in the order of [`Engine::evaluate_batch`], in as few requests as Flagr's
    /// limits allow. It is all or nothing.
    ///
    /// # Errors
    ///
    /// When Flagr does not give all of these answers now.
    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError>;

    /// How many evaluations one request may ask for, as far as that is known. A larger batch is several requests, and some
    /// of them may have been answered when it fails.
    fn most(&self) -> usize {
        usize::MAX
    }
}

/// Takes what people saw: a Flagr that records it.
#[async_trait]
pub trait ExposureSink: fmt::Debug + Send + Sync {
    /// Hands over impressions, once; gives those that were refused. Nothing tells one that comes twice from two that look
    /// the same.
    ///
    /// # Errors
    ///
    /// If they were not taken, or nobody knows whether they were.
    async fn send(&self, exposures: &[Exposure]) -> Result<Vec<RowError>, DeliveryError>;

    /// How many may be handed over at once, as far as that is known.
    fn most(&self) -> usize {
        usize::MAX
    }
}

/// What a server may hand to a running client: what people saw.
#[async_trait]
pub trait ExposureInbox: fmt::Debug + Send + Sync {
    /// Checks rows as Flagr does and takes those that are right for delivery; gives the others. `None` stands for a row
    /// that is `null`.
    ///
    /// # Errors
    ///
    /// If they cannot be taken; then none of them is.
    async fn take(&self, rows: Vec<Option<Exposure>>) -> Result<Vec<RowError>, ExposeError>;
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

    /// Which publication of the rules is served, and how fresh. Costs next to nothing.
    fn freshness(&self) -> Freshness;

    /// The largest snapshot id that is known to be in the rules; 0 when unknown.
    fn max_snapshot_id(&self) -> u64;
}

/// What an operator may ask of a running client: the admin API, the webhook, the pass-through.
#[async_trait]
pub trait Operator: fmt::Debug + Send + Sync {
    /// Counts, and the state of the rules.
    fn stats(&self) -> Stats;

    /// Whether the client can decide, and why not.
    fn readiness(&self) -> Readiness;

    /// All flags that are served.
    fn flags(&self) -> Vec<FlagSummary>;

    /// The definition of one flag in Flagr's export shape, if it is served and kept.
    fn definition(&self, key: &str) -> Option<Vec<u8>>;

    /// Why a flag comes out as it does. `None` when there is no such flag.
    fn explain(&self, key: &str, context: &Context) -> Option<Explanation>;

    /// [`definition`](Self::definition), read from where it is kept if that is not in memory.
    async fn load_definition(&self, key: &str) -> Option<Vec<u8>> {
        self.definition(key)
    }

    /// [`explain`](Self::explain), after what the flag is made of was loaded if that is not in memory.
    async fn load_explanation(&self, key: &str, context: &Context) -> Option<Explanation> {
        self.explain(key, context)
    }

    /// Looks for changes and waits for what came of it.
    ///
    /// # Errors
    ///
    /// If the source fails. The flags that were there before are served on.
    async fn refresh(&self) -> Result<Freshness, SourceError>;

    /// Reads these flags anew, past any lag, and waits until they are served. No flag is off meanwhile.
    ///
    /// # Errors
    ///
    /// As for [`refresh`](Self::refresh).
    async fn reread(&self, flags: &[FlagName]) -> Result<Freshness, SourceError>;

    /// Reads all flags anew and waits until they are served.
    ///
    /// # Errors
    ///
    /// As for [`refresh`](Self::refresh).
    async fn reread_all(&self) -> Result<Freshness, SourceError>;

    /// The same as [`reread`](Self::reread) without waiting: returns at once whatever happens, and many notes of one flag
    /// lead to few reads. No flags stand for all of them.
    fn notify(&self, flags: &[FlagName]);

    /// Whether the source of the flags is there.
    ///
    /// # Errors
    ///
    /// If it is not.
    async fn source_health(&self) -> Result<(), SourceError>;
}

/// A flag by its id, its key, or both: what a notice says of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FlagName {
    /// The id, 0 when not told.
    pub id: FlagId,
    /// The key, empty when not told.
    pub key: Box<str>,
}

/// A flag in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagSummary {
    /// The flag's id.
    pub id: FlagId,
    /// The flag's key.
    pub key: Box<str>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The newest snapshot, 0 when unknown.
    pub snapshot_id: crate::SnapshotId,
    /// The values of its tags.
    pub tags: std::sync::Arc<[Box<str>]>,
    /// Who decides it.
    pub strategy: crate::Strategy,
    /// Whether Flagr records its evaluations.
    pub data_records_enabled: bool,
    /// Whether its newest version is in error: it is served in its last good version, or not at all.
    pub quarantined: bool,
}

/// Whether a flag is the one that is wanted.
pub type FlagTest<'a> = &'a (dyn Fn(&Flag) -> bool + Sync);

/// Keeps the last good flags over a restart.
#[async_trait]
pub trait FlagArchive: fmt::Debug + Send + Sync {
    /// The newest good flags. `None` when nothing was ever saved.
    ///
    /// # Errors
    ///
    /// If something was saved and nothing of it can be read.
    async fn load(&self) -> Result<Option<Archived>, ArchiveError>;

    /// Saves the flags whole or not at all. An archive that holds a later revision keeps that and says
    /// [`Superseded`](crate::ArchiveErrorKind::Superseded).
    ///
    /// # Errors
    ///
    /// If they cannot be saved now.
    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError>;

    /// Notes that the source confirmed flags that are archived already, so that they need not be saved again. Says whether
    /// they are still there: where they are not, nothing is noted, and the caller saves them. An archive that keeps no
    /// confirmations says so of all flags, as this.
    ///
    /// # Errors
    ///
    /// If it cannot be noted now.
    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let _ = confirmation;
        Ok(true)
    }

    /// What stands for the flags that a [`load`](Self::load) would give now, without reading them. `None` where nothing is
    /// there, or where only a load can tell, as here.
    ///
    /// # Errors
    ///
    /// If it cannot be read now.
    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        Ok(None)
    }

    /// One of the newest good flags: the one with this id, if it is wanted. Archives that cannot read one alone read them
    /// all, as this does.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    async fn load_flag(
        &self,
        id: FlagId,
        is_wanted: FlagTest<'_>,
    ) -> Result<Option<Flag>, ArchiveError> {
        let Some(archived) = self.load().await? else { return Ok(None) };
        let places = flags_in(&archived.document);
        let text = places.into_iter().find(|it| it.0 == id);
        let text = text.and_then(|(_, place)| archived.document.get(place));
        Ok(text.and_then(|it| read_written(it).ok()).filter(is_wanted))
    }

    /// The archive in a few words, for people: `/var/cache/vexilla`. Never holds a secret.
    fn describe(&self) -> String;

    /// Ready when somebody else may have saved something newer. An archive that nobody shares is never ready, as this.
    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    /// Whether this process is the one that asks the source, now. An archive that nobody shares always says so, as this.
    /// Where somebody else asks, the caller loads what that one saves.
    async fn leads(&self) -> bool {
        true
    }

    /// Lets somebody else ask the source, at the end.
    async fn release(&self) {}

    /// Lets somebody else ask the source for a while, since this process gets no answer. Where nobody else does, it goes on
    /// to lead.
    async fn step_back(&self) {}

    /// How it goes, as far as that is known without asking; of several archives that are one, each by itself.
    fn layers(&self) -> Vec<ArchiveLayer> {
        vec![ArchiveLayer::new(self.describe())]
    }
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

    /// Now, by a clock that never goes back.
    fn instant(&self) -> Instant;
}
