//! Two answers to one question.

use std::fmt;

use vexilla_domain::json::write_value;
use vexilla_domain::{Answer, Value};

/// What came of holding two answers against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// They say the same.
    Same,
    /// They are of different versions of the flag: somebody has changed it meanwhile.
    Moved,
    /// They differ.
    Different {
        /// In this.
        mismatches: Vec<Mismatch>,
        /// Whether both are known to be of one version of the flag.
        is_certain: bool,
    },
}

/// One thing that two answers say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The member of Flagr's answer.
    pub(crate) member: &'static str,
    /// What is said here.
    pub(crate) ours: String,
    /// What Flagr says.
    pub(crate) theirs: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: here {}, Flagr {}", self.member, self.ours, self.theirs)
    }
}

/// Compares what an evaluation decides: flag, snapshot, segment and variant.
pub(crate) fn compare(ours: &Answer, theirs: &Answer) -> Comparison {
    let snapshot = |it: &Answer| it.evaluation.flag.as_ref().map_or(0, |flag| flag.snapshot_id.0);
    let snapshots = (snapshot(ours), snapshot(theirs));
    // 0 is unknown: a flag that one side does not have, a database before its first snapshot, or rules of the REST list.
    let is_known = snapshots.0 != 0 && snapshots.1 != 0;
    if snapshots.0 != snapshots.1 && is_known {
        return Comparison::Moved;
    }
    let members = said(ours).into_iter().zip(said(theirs));
    let mismatches: Vec<_> = members
        .filter(|((_, ours), (_, theirs))| ours != theirs)
        .map(|((member, ours), (_, theirs))| Mismatch { member, ours, theirs })
        .collect();
    if mismatches.is_empty() {
        Comparison::Same
    } else {
        Comparison::Different { mismatches, is_certain: is_known }
    }
}

/// The members of Flagr's answer that are compared, as JSON.
pub(crate) fn said(answer: &Answer) -> [(&'static str, String); 6] {
    let it = &answer.evaluation;
    let flag = it.flag.as_ref();
    let text = |text: Option<&str>| json(&text.map_or(Value::Null, Value::from));
    let attachment = it.attachment().map_or(Value::Null, |it| Value::Object(it.clone()));
    [
        ("flagID", flag.map_or(0, |it| it.id.0).to_string()),
        ("flagKey", text(flag.map(|it| &*it.key))),
        ("segmentID", it.segment_id.to_string()),
        ("variantID", it.variant_id.to_string()),
        ("variantKey", text(it.variant_key())),
        ("variantAttachment", json(&attachment)),
    ]
}

/// The JSON text of a value.
pub(crate) fn json(value: &Value) -> String {
    let mut text = Vec::new();
    write_value(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}
