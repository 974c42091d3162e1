//! Why a flag came out as it did, for people.

use crate::{Evaluation, Needs, SegmentId};

/// An evaluation with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What came out.
    pub evaluation: Evaluation,
    /// Why Flagr is to be asked for the flag, whatever comes of that: the explanation is of the rules held here.
    pub needs: Needs,
    /// The entity id that was hashed: a random one where the context has none.
    pub entity_id: Box<str>,
    /// The entity's bucket, 0 to 999; it is the same in all segments of a flag.
    pub bucket: Option<u32>,
    /// The segments that were tried, in order. The last one is where the evaluation ended, unless none matched.
    pub segments: Vec<SegmentTrace>,
}

/// What came of trying one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentTrace {
    /// The segment.
    pub segment_id: SegmentId,
    /// Whether its constraints hold, and why not.
    pub verdict: Verdict,
    /// Its constraints one by one, as text of the condition language, with what each comes to.
    pub constraints: Vec<ConstraintTrace>,
    /// How the rollout went, where it came to that.
    pub rollout: Option<RolloutTrace>,
}

/// Whether a segment applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All constraints hold, or there are none.
    Matched,
    /// They do not.
    NotMatched,
    /// They cannot be applied, which counts as not holding; the reason.
    Failed(String),
    /// There are constraints, and the context is no object.
    NoContext,
}

/// What one constraint comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintTrace {
    /// The constraint: `(country == "US")`.
    pub text: String,
    /// Whether it holds, or why it cannot be applied.
    pub outcome: Result<bool, String>,
}

/// How a rollout went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutTrace {
    /// The segment's rollout in percent.
    pub percent: u64,
    /// The variants' ranges of buckets.
    pub ranges: Vec<RangeTrace>,
    /// What the entity's bucket came to, in words.
    pub outcome: String,
}

/// A variant's range of buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeTrace {
    /// The variant's key; its id where the flag lacks it.
    pub variant: Box<str>,
    /// The first bucket.
    pub start: u32,
    /// The first bucket that the rollout leaves out.
    pub cut: u32,
    /// The first bucket behind the range.
    pub end: u32,
}
