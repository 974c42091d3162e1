//! What a server asks of a running client, in Flagr's terms.

use crate::{Context, Evaluation, FlagId, SnapshotId};

/// Which flag a request names. Both parts may be given; the id goes first (`flagr-semantics` 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlagRef<'a> {
    /// The id, 0 when not given.
    pub id: u64,
    /// The key, empty when not given.
    pub key: &'a str,
}

/// Whether an evaluation is to explain itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Debug {
    /// Only the result.
    #[default]
    Off,
    /// The result and a log of each segment that was tried.
    On,
}

/// One evaluation that Flagr is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RemoteCall<'a> {
    /// The flag as the caller names it.
    pub flag: FlagRef<'a>,
    /// The flag's id in the rules that are held here, 0 when it is not there.
    pub id: FlagId,
    /// The flag's snapshot in the rules that are held here, 0 when unknown.
    pub snapshot_id: SnapshotId,
    /// Whether Flagr records the evaluation.
    pub data_records_enabled: bool,
    /// Whom it is for. Headers of it are handed on.
    pub context: &'a Context,
    /// Whether to explain.
    pub debug: Debug,
}

/// The answer to one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The result.
    pub evaluation: Evaluation,
    /// The entity id that counted: a random one where the context had none and the flag was evaluated.
    pub entity_id: Box<str>,
    /// Flagr's log of it.
    pub log: DebugLog,
}

/// What Flagr reports of an evaluation beside its result (`evalDebugLog`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DebugLog {
    /// Why there is a blank, empty where the flag was evaluated.
    pub message: String,
    /// One entry for each segment tried; `None` when it was not asked for.
    pub segments: Option<Vec<SegmentLog>>,
}

/// Why a segment matched or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentLog {
    /// The segment's id.
    pub segment_id: crate::SegmentId,
    /// Flagr's words for it.
    pub message: String,
}

/// How a batch request combines tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagsOperator {
    /// Flags with any of the tags.
    #[default]
    Any,
    /// Flags with all of the tags.
    All,
}

/// Many evaluations at once: each entity with each flag that is selected.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Batch<'a> {
    /// The entities.
    pub entities: &'a [Context],
    /// Flags by id.
    pub flag_ids: &'a [u64],
    /// Flags by key.
    pub flag_keys: &'a [Box<str>],
    /// Flags by tag.
    pub flag_tags: &'a [Box<str>],
    /// How the tags combine.
    pub flag_tags_operator: TagsOperator,
    /// Whether to explain.
    pub debug: Debug,
}

/// How a flag came into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectedBy {
    /// By its tags.
    Tags,
    /// By this id.
    Id(u64),
    /// By the key at this place of [`Batch::flag_keys`].
    Key(usize),
}

/// One answer of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchAnswer {
    /// The place of the entity in [`Batch::entities`].
    pub entity: usize,
    /// How the flag was selected.
    pub selected_by: SelectedBy,
    /// The answer.
    pub answer: Answer,
}

/// A batch asks for more than is given at once. More reasons may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchTooLarge {
    /// It asks for too many answers.
    #[error("batch evaluation size {size} exceeds maximum allowed size of {most}")]
    Answers {
        /// How many answers there would be.
        size: usize,
        /// How many there may be.
        most: usize,
    },
    /// Its debug logs, which repeat the context for each segment, are too long.
    #[error("batch evaluation debug logs exceed maximum allowed size of {most} bytes")]
    Logs {
        /// How many bytes there may be.
        most: usize,
    },
}
