//! What came out of an evaluation, why, from where, and how fresh the rules were.

use std::fmt;
use std::sync::Arc;

use crate::{FlagId, Object, SegmentId, SnapshotId, VariantId};

/// Why an evaluation came out as it did. More reasons may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A segment with constraints matched and has one outcome for everybody.
    TargetingMatch,
    /// A segment without constraints has one outcome for everybody.
    Static,
    /// The entity's bucket chose the variant.
    Split,
    /// No segment's constraints matched. No variant.
    NoMatch,
    /// A segment matched, and its rollout left the entity out. No variant; later segments are not tried.
    Holdout,
    /// The flag has no segments. No variant.
    NoSegments,
    /// The flag is disabled. No variant.
    Disabled,
    /// There is no such flag. No variant.
    NotFound,
    /// The flag exists and a filter keeps it out of here. No variant.
    Filtered,
    /// Nothing could decide; the caller's or the configured fallback applies.
    Fallback,
    /// Only Flagr can decide, and this call may not ask it.
    NeedsRemote,
    /// The flag is in error and has no good version to fall back to. No variant.
    Error,
}

impl Reason {
    /// The reason in OpenFeature's manner: `TARGETING_MATCH`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Static => "STATIC",
            Self::Split => "SPLIT",
            Self::NoMatch => "NO_MATCH",
            Self::Holdout => "HOLDOUT",
            Self::NoSegments => "NO_SEGMENTS",
            Self::Disabled => "DISABLED",
            Self::NotFound => "NOT_FOUND",
            Self::Filtered => "FILTERED",
            Self::Fallback => "FALLBACK",
            Self::NeedsRemote => "NEEDS_REMOTE",
            Self::Error => "ERROR",
        }
    }

    /// Whether it is an answer, if only a blank. Where it is none, a fallback applies.
    pub fn is_answer(self) -> bool {
        !matches!(
            self,
            Self::NotFound | Self::Filtered | Self::Fallback | Self::NeedsRemote | Self::Error
        )
    }

    /// Whether the evaluation got as far as the flag's segments. Before that Flagr leaves the entity as it was asked:
    /// no random id, no entity type of the flag, no data record.
    pub fn reached_segments(self) -> bool {
        matches!(
            self,
            Self::TargetingMatch | Self::Static | Self::Split | Self::NoMatch | Self::Holdout
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who decided. More sources may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Source {
    /// The rules held here.
    #[default]
    Local,
    /// The rules held here in place of Flagr, which was to be asked and could not answer. The decision is the one that
    /// Flagr would have given; a data record of it is lost.
    Standby,
    /// Flagr, asked just now.
    Remote,
    /// Flagr, asked earlier.
    RemoteCached,
    /// Nobody: the fallback.
    Fallback,
}

impl Source {
    /// `local`, `standby`, `remote`, `remote_cached` or `fallback`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Standby => "standby",
            Self::Remote => "remote",
            Self::RemoteCached => "remote_cached",
            Self::Fallback => "fallback",
        }
    }
}

/// Which publication of the rules decided. A later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision {
    /// New when Flagr's history is another one than before, as after a restored backup.
    pub epoch: u64,
    /// One more with each publication.
    pub sequence: u64,
}

impl Revision {
    /// No publication comes to so large an epoch or sequence: what says so is damaged, or a lie. JSON's numbers are exact
    /// up to here.
    pub const MOST: u64 = 1 << 53;

    /// The one behind it, in the same epoch. `None` where no number is left.
    pub fn next(self) -> Option<Self> {
        let next = Self { sequence: self.sequence.checked_add(1)?, ..self };
        next.is_possible().then_some(next)
    }

    /// The one behind it, in a new epoch. `None` where no number is left.
    pub fn next_epoch(self) -> Option<Self> {
        let next = self.next()?;
        let next = Self { epoch: next.epoch.checked_add(1)?, ..next };
        next.is_possible().then_some(next)
    }

    /// Whether a publication can have it.
    pub fn is_possible(self) -> bool {
        self.epoch < Self::MOST && self.sequence < Self::MOST
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

/// How fresh the rules were that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freshness {
    /// The publication. `0.0` where rules were evaluated without a client.
    pub revision: Revision,
    /// When the source last confirmed the rules, in milliseconds since the Unix epoch; 0 when unknown.
    pub refreshed_at_ms: u64,
    /// Whether the last refresh failed: the rules are the last good ones.
    pub stale: bool,
}

/// What an evaluation reports of its flag.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlagHead {
    /// The flag's id.
    pub id: FlagId,
    /// The flag's key.
    pub key: Box<str>,
    /// The flag's newest snapshot, 0 when unknown.
    pub snapshot_id: SnapshotId,
    /// Replaces the entity type of the request when not empty.
    pub entity_type: Box<str>,
    /// The values of the flag's tags, in the order of their ids.
    pub tags: Arc<[Box<str>]>,
    /// Whether Flagr records evaluations of the flag.
    pub data_records_enabled: bool,
}

/// The outcome that an evaluation reports.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VariantHead {
    /// The variant's id.
    pub id: VariantId,
    /// The variant's key.
    pub key: Box<str>,
    /// The operator's JSON object, or none.
    pub attachment: Option<Arc<Object>>,
}

/// An evaluation, lent by the rules that decided it. [`to_owned`](Self::to_owned) keeps it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationRef<'a> {
    /// The flag, if there is one.
    pub flag: Option<&'a FlagHead>,
    /// The variant that came out, if one did and the flag knows it.
    pub variant: Option<&'a VariantHead>,
    /// The variant's id: 0 for no variant. Set without `variant` where a distribution names a variant that the flag
    /// lacks, as Flagr reports it.
    pub variant_id: VariantId,
    /// The segment that gave the variant; 0 for no variant.
    pub segment_id: SegmentId,
    /// Why.
    pub reason: Reason,
    /// Who decided.
    pub source: Source,
    /// How fresh the rules were.
    pub freshness: Freshness,
}

impl<'a> EvaluationRef<'a> {
    /// An evaluation without a variant.
    #[inline]
    pub fn blank(flag: Option<&'a FlagHead>, reason: Reason) -> Self {
        Self {
            flag,
            variant: None,
            variant_id: VariantId(0),
            segment_id: SegmentId(0),
            reason,
            source: Source::Local,
            freshness: Freshness::default(),
        }
    }

    /// The key of the variant that came out.
    #[inline]
    pub fn variant_key(&self) -> Option<&'a str> {
        self.variant.map(|variant| &*variant.key)
    }

    /// The attachment of the variant that came out.
    pub fn attachment(&self) -> Option<&'a Object> {
        self.variant.and_then(|variant| variant.attachment.as_deref())
    }

    /// The same, to keep.
    pub fn to_owned(&self) -> Evaluation {
        Evaluation {
            flag: self.flag.cloned(),
            variant: self.variant.cloned(),
            variant_id: self.variant_id,
            segment_id: self.segment_id,
            reason: self.reason,
            source: self.source,
            freshness: self.freshness,
        }
    }
}

/// An evaluation to keep. The members are those of [`EvaluationRef`].
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The flag, if there is one.
    pub flag: Option<FlagHead>,
    /// The variant that came out, if one did and the flag knows it.
    pub variant: Option<VariantHead>,
    /// The variant's id: 0 for no variant.
    pub variant_id: VariantId,
    /// The segment that gave the variant; 0 for no variant.
    pub segment_id: SegmentId,
    /// Why.
    pub reason: Reason,
    /// Who decided.
    pub source: Source,
    /// How fresh the rules were.
    pub freshness: Freshness,
}

impl Evaluation {
    /// The same, lent.
    pub fn as_ref(&self) -> EvaluationRef<'_> {
        EvaluationRef {
            flag: self.flag.as_ref(),
            variant: self.variant.as_ref(),
            variant_id: self.variant_id,
            segment_id: self.segment_id,
            reason: self.reason,
            source: self.source,
            freshness: self.freshness,
        }
    }

    /// The key of the variant that came out.
    pub fn variant_key(&self) -> Option<&str> {
        self.as_ref().variant_key()
    }

    /// The attachment of the variant that came out.
    pub fn attachment(&self) -> Option<&Object> {
        self.as_ref().attachment()
    }
}
