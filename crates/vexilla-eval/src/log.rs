//! Flagr's `evalDebugLog`, word for word as far as its words are known (`flagr-semantics` 4.4).

use vexilla_domain::{Context, DebugLog, EvaluationRef, Reason, SegmentLog, Value};

use crate::compile::{CompiledSegment, Condition};
use crate::condition;
use crate::evaluate::{Step, Trace};
use crate::go_print::{Dumped, Printed};

/// Writes a line for each segment tried.
pub(crate) struct LogTrace<'c> {
    context: &'c Context,
    pub(crate) segments: Vec<SegmentLog>,
}

impl<'c> LogTrace<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        Self { context, segments: Vec::new() }
    }
}

impl Trace for LogTrace<'_> {
    fn segment(&mut self, segment: &CompiledSegment, step: Step<'_>) {
        let message = match step {
            Step::NoContext => format!(
                "constraints are present in the segment_id {}, but got invalid entity_context: {}.",
                segment.id,
                Dumped(self.context.attributes())
            ),
            Step::NoMatch(condition) => format!(
                "constraint not match. constraint: {}, entity_context: {}.",
                dump(condition),
                Printed(self.context.attributes().unwrap_or(&Value::Null))
            ),
            Step::Failed(failure) => failure.to_string(),
            Step::Matched { bucket, .. } => {
                format!("matched all constraints. {}", segment.rollout.describe(bucket))
            }
        };
        self.segments.push(SegmentLog { segment_id: segment.id, message });
    }

    const WANTS_BUCKETS: bool = true;
}

/// The condition as Flagr dumps its tree.
fn dump(condition: &Condition) -> String {
    condition::parse(&condition.text)
        .map_or_else(|_| condition.text.to_string(), |expr| expr.to_string())
}

/// Flagr's log of an evaluation. `requested_id` is the flag id of the request, 0 when it named none.
pub(crate) fn debug_log(
    evaluation: &EvaluationRef<'_>,
    requested_id: u64,
    segments: Option<Vec<SegmentLog>>,
) -> DebugLog {
    let id = evaluation.flag.map_or(requested_id, |flag| flag.id.0);
    let message = match evaluation.reason {
        Reason::NotFound => format!("flagID {id} not found or deleted"),
        Reason::Disabled => format!("flagID {id} is not enabled"),
        Reason::NoSegments => format!("flagID {id} has no segments"),
        Reason::Error => format!("flagID {id} is in error and has no good version"),
        _ => return DebugLog { message: String::new(), segments },
    };
    DebugLog { message, segments: None }
}
