//! For programs.

use serde::Serialize;
use serde_json::value::RawValue;
use vexilla::{Explanation, Reason, Stats};
use vexilla_eval::{ConstraintTrace, RangeTrace, SegmentTrace, Verdict};

use crate::decide::object_text;

/// What is printed. Members that say nothing are left out.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    flag_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag_id: Option<u64>,
    reason: &'static str,
    /// `remote` where a service would ask Flagr.
    #[serde(skip_serializing_if = "Option::is_none")]
    decider: Option<&'static str>,
    /// Why it would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_attachment: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<u32>,
    segments: Vec<Segment<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [String],
    rules: Rules<'a>,
}

/// Where the rules came from.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Rules<'a> {
    revision: String,
    age_seconds: u64,
    origin: &'a str,
}

#[derive(Serialize)]
struct Segment<'a> {
    id: u64,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    constraints: Vec<Constraint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollout: Option<Rollout<'a>>,
}

#[derive(Serialize)]
struct Constraint<'a> {
    text: &'a str,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Rollout<'a> {
    percent: u64,
    ranges: Vec<Range<'a>>,
    outcome: &'a str,
}

/// Buckets from `start` up to but not including `cut` get the variant; those up to `end` are left out.
#[derive(Serialize)]
struct Range<'a> {
    variant: &'a str,
    start: u32,
    cut: u32,
    end: u32,
}

/// The explanation as one JSON object.
pub(super) fn write(
    asked: &str,
    explanation: Option<&Explanation>,
    errors: &[String],
    stats: &Stats,
) -> String {
    let mut document = match explanation {
        Some(explanation) => document(asked, explanation, errors),
        None => {
            Document { flag_key: asked, reason: Reason::NotFound.as_str(), ..Document::default() }
        }
    };
    document.rules = Rules {
        revision: stats.revision.to_string(),
        age_seconds: stats.age.unwrap_or_default().as_secs(),
        origin: &stats.origin,
    };
    let mut json = serde_json::to_string_pretty(&document).unwrap_or_default(); // plain data: cannot fail
    json.push('\n');
    json
}

fn document<'a>(
    asked: &'a str,
    explanation: &'a Explanation,
    errors: &'a [String],
) -> Document<'a> {
    let evaluation = &explanation.evaluation;
    let unless_zero = |id: u64| (id != 0).then_some(id);
    let attachment = evaluation.attachment().map(object_text);
    Document {
        flag_key: evaluation.flag.as_ref().map_or(asked, |flag| &flag.key),
        flag_id: evaluation.flag.as_ref().map(|flag| flag.id.0),
        reason: evaluation.reason.as_str(),
        decider: Some(if explanation.needs.is_nothing() { "local" } else { "remote" }),
        because: explanation.needs.words().collect(),
        variant_key: evaluation.variant_key(),
        variant_id: unless_zero(evaluation.variant_id.0),
        variant_attachment: attachment.and_then(|text| RawValue::from_string(text).ok()),
        segment_id: unless_zero(evaluation.segment_id.0),
        entity_id: evaluation.reason.reached_segments().then_some(&*explanation.entity_id),
        bucket: explanation.bucket,
        segments: explanation.segments.iter().map(Segment::from).collect(),
        errors,
        rules: Rules::default(),
    }
}

impl<'a> From<&'a SegmentTrace> for Segment<'a> {
    fn from(trace: &'a SegmentTrace) -> Self {
        let (verdict, error) = match &trace.verdict {
            Verdict::Matched => ("matched", None),
            Verdict::NotMatched => ("not matched", None),
            Verdict::Failed(reason) => ("failed", Some(&**reason)),
            Verdict::NoContext => ("no context", None),
        };
        let rollout = trace.rollout.as_ref().map(|it| Rollout {
            percent: it.percent,
            ranges: it.ranges.iter().map(Range::from).collect(),
            outcome: &it.outcome,
        });
        Self {
            id: trace.segment_id.0,
            verdict,
            error,
            constraints: trace.constraints.iter().map(Constraint::from).collect(),
            rollout,
        }
    }
}

impl<'a> From<&'a ConstraintTrace> for Constraint<'a> {
    fn from(trace: &'a ConstraintTrace) -> Self {
        let error = trace.outcome.as_ref().err();
        Self { text: &trace.text, holds: trace.outcome == Ok(true), error: error.map(|it| &**it) }
    }
}

impl<'a> From<&'a RangeTrace> for Range<'a> {
    fn from(trace: &'a RangeTrace) -> Self {
        Self { variant: &trace.variant, start: trace.start, cut: trace.cut, end: trace.end }
    }
}
