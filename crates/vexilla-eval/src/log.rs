//! Flagr's `evalDebugLog`, word for word as far as its words are known (`flagr-semantics` 4.4).

use vexilla_domain::{Context, DebugLog, EvaluationRef, Reason, SegmentLog, Value};

use crate::compile::{CompiledSegment, Condition};
use crate::condition;
use crate::evaluate::{Step, Trace};
use crate::go_print::{Dumped, Printed};

/// Writes a line for each segment tried.
pub(crate) struct LogTrace<'c> {
    context: &'c Context,
    /// The context in words, made when it is first needed.
    printed: Option<String>,
    /// How many bytes of the context may still be repeated.
    left: usize,
    pub(crate) segments: Vec<SegmentLog>,
}

impl<'c> LogTrace<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        Self { context, printed: None, left: MAX_REPEATED, segments: Vec::new() }
    }
}

/// A log repeats the context for each segment that does not match; of a large context under many segments it repeats no
/// more than this many bytes.
const MAX_REPEATED: usize = 1 << 20;

impl LogTrace<'_> {
    /// The context as Flagr prints it, cut where the log would get too long.
    fn context(&mut self, print: impl FnOnce(&Context) -> String) -> &str {
        let printed = self.printed.get_or_insert_with(|| print(self.context));
        let cut = (0..=self.left.min(printed.len())).rev().find(|at| printed.is_char_boundary(*at));
        let length = cut.unwrap_or_default();
        self.left -= length;
        printed.get(..length).unwrap_or_default()
    }
}

impl Trace for LogTrace<'_> {
    fn segment(&mut self, segment: &CompiledSegment, step: Step<'_>) {
        let message = match step {
            Step::NoContext => format!(
                "constraints are present in the segment_id {}, but got invalid entity_context: {}.",
                segment.id,
                self.context(|it| Dumped(it.attributes()).to_string())
            ),
            Step::NoMatch(condition) => format!(
                "constraint not match. constraint: {}, entity_context: {}.",
                dump(condition),
                self.context(|it| Printed(it.attributes().unwrap_or(&Value::Null)).to_string())
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
