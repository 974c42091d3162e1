//! Flagr's answer to an evaluation as ours.
//!
//! Flagr does not say why an evaluation came out as it did, so the reason is what its answer shows: its words for a
//! blank (no such flag, disabled, no segments); [`Reason::TargetingMatch`] for any variant, also one that a split chose;
//! [`Reason::NoMatch`] for none, or [`Reason::Holdout`] where a log was asked for and says that a segment matched and
//! its rollout left the entity out.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, ValueError, read_value, repair};
use vexilla_domain::{
    Answer, DebugLog, Evaluation, EvaluationRef, FlagHead, FlagId, Reason, SegmentId, SegmentLog,
    SnapshotId, Source, Value, VariantHead, VariantId,
};

/// An answer, and what of the request Flagr repeats with it.
#[derive(Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) answer: Answer,
    pub(crate) echo: Echo,
}

/// Whom and what the answer is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) entity_id: Box<str>,
    pub(crate) flag_id: u64,
    pub(crate) flag_key: Box<str>,
    pub(crate) by_tags: bool,
}

/// Why a body is no answer.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is nothing that a Flagr answers.
    Shape(String),
    /// A flag holds an attachment that cannot be read.
    Attachment { flag: Box<str>, reason: ValueError },
}

/// Reads the answer of `POST /evaluation`.
pub(crate) fn read(body: &[u8]) -> Result<Received, Unreadable> {
    parse::<Wire>(&repair(body))?.received()
}

/// Reads the answer of `POST /evaluation/batch`.
pub(crate) fn read_batch(body: &[u8]) -> Result<Vec<Received>, Unreadable> {
    #[derive(Deserialize)]
    struct Results<'a> {
        #[serde(rename = "evaluationResults", borrow)]
        results: Vec<Wire<'a>>,
    }

    let body = repair(body);
    parse::<Results>(&body)?.results.into_iter().map(Wire::received).collect()
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Shape(error.to_string()))
}

/// A result as it is sent. Members are missing where they are zero; servers of 2019 and before send `null`.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "dataRecordsEnabled")]
    data_records_enabled: Option<bool>,
    #[serde(rename = "evalContext")]
    context: WireContext,
    #[serde(rename = "evalDebugLog")]
    log: Option<WireLog>,
    #[serde(rename = "flagID")]
    flag_id: Option<u64>,
    #[serde(rename = "flagKey")]
    flag_key: Option<Box<str>>,
    #[serde(rename = "flagSnapshotID")]
    snapshot_id: Option<u64>,
    #[serde(rename = "flagTags")]
    flag_tags: Option<Vec<Box<str>>>,
    #[serde(rename = "segmentID")]
    segment_id: Option<u64>,
    #[serde(rename = "variantAttachment", borrow)]
    attachment: Option<&'a RawValue>,
    #[serde(rename = "variantID")]
    variant_id: Option<u64>,
    #[serde(rename = "variantKey")]
    variant_key: Option<Box<str>>,
}

#[derive(Deserialize)]
struct WireContext {
    #[serde(rename = "entityID")]
    entity_id: Option<Box<str>>,
    #[serde(rename = "entityType")]
    entity_type: Option<Box<str>>,
    #[serde(rename = "flagID")]
    flag_id: Option<u64>,
    #[serde(rename = "flagKey")]
    flag_key: Option<Box<str>>,
    #[serde(rename = "flagTags")]
    flag_tags: Option<Vec<Box<str>>>,
}

#[derive(Deserialize, Default)]
struct WireLog {
    msg: Option<String>,
    #[serde(rename = "segmentDebugLogs")]
    segments: Option<Vec<WireSegmentLog>>,
}

#[derive(Deserialize)]
struct WireSegmentLog {
    msg: Option<String>,
    #[serde(rename = "segmentID")]
    segment_id: Option<u64>,
}

impl Wire<'_> {
    fn received(mut self) -> Result<Received, Unreadable> {
        let log = self.log.take().unwrap_or_default().read();
        let variant_id = VariantId(self.variant_id.unwrap_or_default());
        let reason = reason(variant_id, &log);
        let evaluation = match reason {
            Reason::NotFound => Evaluation {
                source: Source::Remote,
                ..EvaluationRef::blank(None, reason).to_owned()
            },
            _ => self.evaluation(variant_id, reason)?,
        };
        let entity_id = self.context.entity_id.unwrap_or_default();
        let echo = Echo {
            entity_id: entity_id.clone(),
            flag_id: self.context.flag_id.unwrap_or_default(),
            flag_key: self.context.flag_key.unwrap_or_default(),
            by_tags: self.context.flag_tags.is_some_and(|it| !it.is_empty()),
        };
        Ok(Received { answer: Answer { evaluation, entity_id, log }, echo })
    }

    fn evaluation(
        &mut self,
        variant_id: VariantId,
        reason: Reason,
    ) -> Result<Evaluation, Unreadable> {
        let (id, key) =
            (self.flag_id.unwrap_or_default(), self.flag_key.take().unwrap_or_default());
        if id == 0 && key.is_empty() {
            return Err(Unreadable::Shape("a result that names no flag".to_owned()));
        }
        // The entity type in an answer is the flag's own, or else that of the request; in a blank, always the latter.
        let entity_type = if reason.reached_segments() {
            self.context.entity_type.take().unwrap_or_default()
        } else {
            Box::default()
        };
        let variant = self.variant(variant_id, &key)?;
        // Servers before 1.2.2 report the last segment that they tried, with or without a variant.
        let segment_id = self.segment_id.filter(|_| variant_id.0 != 0).unwrap_or_default();
        Ok(Evaluation {
            flag: Some(FlagHead {
                id: FlagId(id),
                key,
                snapshot_id: SnapshotId(self.snapshot_id.unwrap_or_default()),
                entity_type,
                tags: self.flag_tags.take().unwrap_or_default().into(),
                data_records_enabled: self.data_records_enabled.unwrap_or_default(),
            }),
            variant,
            variant_id,
            segment_id: SegmentId(segment_id),
            source: Source::Remote,
            ..EvaluationRef::blank(None, reason).to_owned()
        })
    }

    /// The variant, where the flag knows the one that came out.
    fn variant(&mut self, id: VariantId, flag: &str) -> Result<Option<VariantHead>, Unreadable> {
        let key = self.variant_key.take().unwrap_or_default();
        if id.0 == 0 || (key.is_empty() && self.attachment.is_none()) {
            return Ok(None);
        }
        let attachment = match self.attachment.map(|raw| read_value(raw, Numbers::Float64)) {
            None => None,
            Some(Ok(Value::Object(object))) => Some(Arc::new(object)),
            Some(Ok(_)) => {
                return Err(Unreadable::Shape("an attachment that is no object".to_owned()));
            }
            Some(Err(reason)) => return Err(Unreadable::Attachment { flag: flag.into(), reason }),
        };
        Ok(Some(VariantHead { id, key, attachment }))
    }
}

impl WireLog {
    fn read(self) -> DebugLog {
        let entries = self.segments.unwrap_or_default().into_iter().map(|it| SegmentLog {
            segment_id: SegmentId(it.segment_id.unwrap_or_default()),
            message: it.msg.unwrap_or_default(),
        });
        // Where no log was asked for, servers before 1.2.0 send an empty one; an empty one that was asked for has none.
        let segments = Some(entries.collect::<Vec<_>>()).filter(|it| !it.is_empty());
        DebugLog { message: self.msg.unwrap_or_default(), segments }
    }
}

fn reason(variant: VariantId, log: &DebugLog) -> Reason {
    if variant.0 != 0 {
        return Reason::TargetingMatch;
    }
    let blank = log.message.strip_prefix("flagID ").and_then(|rest| rest.split_once(' '));
    match blank.map(|(_, words)| words) {
        Some("not found or deleted") => return Reason::NotFound,
        Some("is not enabled") => return Reason::Disabled,
        Some("has no segments") => return Reason::NoSegments,
        _ => {}
    }
    match log.segments.as_ref().and_then(|it| it.last()) {
        Some(last) if last.message.starts_with("matched all constraints. rollout no") => {
            Reason::Holdout
        }
        _ => Reason::NoMatch,
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(reason) => f.write_str(reason),
            Self::Attachment { flag, reason } => {
                write!(f, "the attachment of flag `{flag}`: {reason}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
