//! The walk: segments in order, constraints, rollout, outcome (`flagr-semantics` 4.2 and 4.3).
//!
//! One body serves the silent and the explaining evaluation; the silent one's trace compiles away.

use vexilla_domain::{EvaluationRef, Reason, SegmentId, Value};

use crate::compile::{CompiledFlag, CompiledSegment, Condition, Status};
use crate::failure::Failure;
use crate::rollout::{Choice, Outcome};

/// Who looks on while a flag is evaluated.
pub(crate) trait Trace {
    /// A segment was tried, and this came of it.
    fn segment(&mut self, segment: &CompiledSegment, step: Step<'_>);
    /// Whether buckets are wanted also where they decide nothing.
    const WANTS_BUCKETS: bool;
}

/// What came of trying a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// There are constraints, and the context is no object.
    NoContext,
    /// The constraints do not hold.
    NoMatch(&'a Condition),
    /// The constraints cannot be applied: they count as not holding.
    Failed(Failure<'a>),
    /// The segment applies: the evaluation ends here.
    Matched { bucket: u32, outcome: Outcome },
}

/// Nobody looks on.
impl Trace for () {
    #[inline]
    fn segment(&mut self, _: &CompiledSegment, _: Step<'_>) {}
    const WANTS_BUCKETS: bool = false;
}

/// Evaluates a flag for an entity. `entity_id` must not be empty; `attributes` are the context's.
#[inline]
pub(crate) fn evaluate<'a>(
    flag: &'a CompiledFlag,
    entity_id: &str,
    attributes: Option<&Value>,
    trace: &mut impl Trace,
) -> EvaluationRef<'a> {
    let head = Some(&flag.head);
    match flag.status {
        Status::Enabled if flag.segments.is_empty() => {
            let reason = if flag.is_paged() { Reason::NeedsRemote } else { Reason::NoSegments };
            return EvaluationRef::blank(head, reason);
        }
        Status::Enabled => {}
        Status::Disabled => return EvaluationRef::blank(head, Reason::Disabled),
        Status::Broken => return EvaluationRef::blank(head, Reason::Error),
    }
    for segment in &flag.segments {
        if applies(segment, attributes, trace) {
            return roll_out(flag, segment, entity_id, trace);
        }
    }
    EvaluationRef::blank(head, Reason::NoMatch)
}

/// Whether the segment's constraints hold; without any they do.
#[inline]
fn applies(segment: &CompiledSegment, attributes: Option<&Value>, trace: &mut impl Trace) -> bool {
    let Some(condition) = &segment.condition else { return true };
    let Some(Value::Object(context)) = attributes else {
        trace.segment(segment, Step::NoContext);
        return false;
    };
    match condition.program.holds(context) {
        Ok(true) => true,
        Ok(false) => {
            trace.segment(segment, Step::NoMatch(condition));
            false
        }
        Err(failure) => {
            trace.segment(segment, Step::Failed(failure));
            false
        }
    }
}

/// Ends the evaluation at a segment that applies, with a variant or without.
#[inline]
fn roll_out<'a, T: Trace>(
    flag: &'a CompiledFlag,
    segment: &CompiledSegment,
    entity_id: &str,
    trace: &mut T,
) -> EvaluationRef<'a> {
    let rollout = &segment.rollout;
    let outcome = match rollout.fixed() {
        Some(choice) if !T::WANTS_BUCKETS => Outcome::In(choice),
        _ if rollout.is_split() || T::WANTS_BUCKETS => {
            let bucket = flag.salt.bucket(entity_id);
            let outcome = rollout.outcome(bucket);
            trace.segment(segment, Step::Matched { bucket, outcome });
            outcome
        }
        _ => Outcome::Closed,
    };
    let Outcome::In(choice) = outcome else {
        return EvaluationRef::blank(Some(&flag.head), Reason::Holdout);
    };
    let reason = match (rollout.is_split(), &segment.condition) {
        (true, _) => Reason::Split,
        (false, Some(_)) => Reason::TargetingMatch,
        (false, None) => Reason::Static,
    };
    chosen(flag, segment.id, choice, reason)
}

fn chosen(
    flag: &CompiledFlag,
    segment_id: SegmentId,
    choice: Choice,
    reason: Reason,
) -> EvaluationRef<'_> {
    let variant = choice.position.and_then(|at| flag.variants.get(at as usize));
    EvaluationRef {
        variant,
        variant_id: choice.variant_id,
        segment_id,
        ..EvaluationRef::blank(Some(&flag.head), reason)
    }
}
