//! The JSON of the admin API.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use vexilla_domain::json::write_value;
use vexilla_domain::{
    ConstraintTrace, Explanation, FlagSummary, Freshness, RolloutTrace, SegmentTrace, Value,
    Verdict,
};

/// Something is wrong with a request, or with what it needs.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    /// What, in words.
    error: Box<str>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct HealthBody {
    /// Always `ok`.
    pub(super) status: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ReadyBody {
    /// Whether the client can decide.
    pub(super) ready: bool,
    /// Why it cannot; empty when it can.
    pub(super) reasons: Vec<Box<str>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvalidateRequest {
    /// The flag's key.
    #[schema(min_length = 1)]
    pub(super) flag_key: Box<str>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainRequest {
    /// The flag's key.
    #[schema(min_length = 1)]
    pub(super) flag_key: Box<str>,
    /// Whom it is for; a random id is taken where it is empty.
    #[serde(default)]
    pub(super) entity_id: Box<str>,
    /// What kind of entity it is.
    #[serde(default)]
    pub(super) entity_type: Box<str>,
    /// The entity's attributes.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) context: Option<Box<RawValue>>,
}

/// The flags after a refresh.
#[derive(Serialize, ToSchema)]
pub(super) struct RefreshedBody {
    /// The publication that is served.
    revision: String,
    /// When the source last confirmed it.
    refreshed_at: Option<String>,
    /// How many seconds ago that was.
    age_seconds: Option<f64>,
    /// Whether the last refresh failed.
    stale: bool,
    /// Where one flag was named: whether there is such a flag now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<bool>,
}

impl RefreshedBody {
    pub(super) fn new(freshness: Freshness, now: SystemTime) -> Self {
        let confirmed = (freshness.refreshed_at_ms > 0)
            .then(|| SystemTime::UNIX_EPOCH + Duration::from_millis(freshness.refreshed_at_ms));
        let age = confirmed.map(|it| now.duration_since(it).unwrap_or_default().as_secs_f64());
        Self {
            revision: freshness.revision.to_string(),
            refreshed_at: confirmed.and_then(time),
            age_seconds: age,
            stale: freshness.stale,
            found: None,
        }
    }

    /// The same after one flag was read.
    pub(super) fn of_flag(self, found: bool) -> Self {
        Self { found: Some(found), ..self }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct FlagsBody {
    flags: Vec<FlagBody>,
}

/// A flag in a list.
#[derive(Serialize, ToSchema)]
struct FlagBody {
    id: u64,
    key: Box<str>,
    enabled: bool,
    /// The newest snapshot, 0 when unknown.
    snapshot_id: u64,
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    /// `local`: decided by its constraints alone; `remote`: an entity's bucket takes part.
    strategy: &'static str,
    /// Whether Flagr records its evaluations.
    data_records_enabled: bool,
    /// Whether its newest version is in error.
    quarantined: bool,
}

/// Shared with the flag.
struct Tags(Arc<[Box<str>]>);

impl Serialize for Tags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl From<Vec<FlagSummary>> for FlagsBody {
    fn from(flags: Vec<FlagSummary>) -> Self {
        let flags = flags.into_iter().map(|flag| FlagBody {
            id: flag.id.0,
            key: flag.key,
            enabled: flag.enabled,
            snapshot_id: flag.snapshot_id.0,
            tags: Tags(flag.tags),
            strategy: flag.strategy.as_str(),
            data_records_enabled: flag.data_records_enabled,
            quarantined: flag.quarantined,
        });
        Self { flags: flags.collect() }
    }
}

/// An evaluation with its reasons.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainBody {
    flag_id: u64,
    flag_key: Box<str>,
    /// 0 for no variant.
    variant_id: u64,
    variant_key: Option<Box<str>>,
    #[schema(value_type = Option<Object>)]
    variant_attachment: Option<Box<RawValue>>,
    /// The segment that gave the variant; 0 for no variant.
    segment_id: u64,
    /// Why, in OpenFeature's manner.
    reason: &'static str,
    /// Who decided.
    source: &'static str,
    /// The publication of the flags.
    revision: String,
    /// The id that was hashed: a random one where none was given.
    entity_id: Box<str>,
    /// The entity's bucket, 0 to 999.
    bucket: Option<u32>,
    /// The segments that were tried, in order.
    segments: Vec<SegmentBody>,
}

/// What came of trying one segment.
#[derive(Serialize, ToSchema)]
struct SegmentBody {
    segment_id: u64,
    /// `matched`, `not_matched`, `failed` or `no_context`.
    verdict: &'static str,
    /// Why its constraints cannot be applied.
    error: Option<String>,
    constraints: Vec<ConstraintBody>,
    rollout: Option<RolloutBody>,
}

/// What one constraint comes to.
#[derive(Serialize, ToSchema)]
struct ConstraintBody {
    text: String,
    /// Whether it holds; null where it cannot be applied.
    holds: Option<bool>,
    error: Option<String>,
}

/// How a rollout went.
#[derive(Serialize, ToSchema)]
struct RolloutBody {
    percent: u64,
    ranges: Vec<RangeBody>,
    /// What the entity's bucket came to, in words.
    outcome: String,
}

/// A variant's range of buckets.
#[derive(Serialize, ToSchema)]
struct RangeBody {
    variant: Box<str>,
    /// The first bucket.
    start: u32,
    /// The first bucket that the rollout leaves out.
    cut: u32,
    /// The first bucket behind the range.
    end: u32,
}

impl ExplainBody {
    pub(super) fn new(key: &str, explanation: Explanation) -> Self {
        let evaluation = explanation.evaluation;
        let attachment = evaluation.attachment().and_then(|object| {
            let mut text = Vec::new();
            write_value(&mut text, &Value::Object(object.clone()));
            RawValue::from_string(String::from_utf8(text).ok()?).ok()
        });
        Self {
            flag_id: evaluation.flag.as_ref().map_or(0, |it| it.id.0),
            flag_key: evaluation.flag.as_ref().map_or(key, |it| &it.key).into(),
            variant_id: evaluation.variant_id.0,
            variant_key: evaluation.variant_key().map(Into::into),
            variant_attachment: attachment,
            segment_id: evaluation.segment_id.0,
            reason: evaluation.reason.as_str(),
            source: evaluation.source.as_str(),
            revision: evaluation.freshness.revision.to_string(),
            entity_id: explanation.entity_id,
            bucket: explanation.bucket,
            segments: explanation.segments.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SegmentTrace> for SegmentBody {
    fn from(segment: SegmentTrace) -> Self {
        let (verdict, error) = match segment.verdict {
            Verdict::Matched => ("matched", None),
            Verdict::NotMatched => ("not_matched", None),
            Verdict::Failed(reason) => ("failed", Some(reason)),
            Verdict::NoContext => ("no_context", None),
        };
        Self {
            segment_id: segment.segment_id.0,
            verdict,
            error,
            constraints: segment.constraints.into_iter().map(Into::into).collect(),
            rollout: segment.rollout.map(Into::into),
        }
    }
}

impl From<ConstraintTrace> for ConstraintBody {
    fn from(constraint: ConstraintTrace) -> Self {
        let (holds, error) = match constraint.outcome {
            Ok(holds) => (Some(holds), None),
            Err(reason) => (None, Some(reason)),
        };
        Self { text: constraint.text, holds, error }
    }
}

impl From<RolloutTrace> for RolloutBody {
    fn from(rollout: RolloutTrace) -> Self {
        let ranges = rollout.ranges.into_iter().map(|range| RangeBody {
            variant: range.variant,
            start: range.start,
            cut: range.cut,
            end: range.end,
        });
        Self { percent: rollout.percent, ranges: ranges.collect(), outcome: rollout.outcome }
    }
}

pub(super) fn time(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|it| it.to_string())
}
