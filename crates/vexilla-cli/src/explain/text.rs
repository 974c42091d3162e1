//! For people.

use std::fmt::{self, Write};

use vexilla::{Explanation, Needs, Reason, Stats};
use vexilla_eval::{ConstraintTrace, RolloutTrace, SegmentTrace, Verdict};

use crate::decide::{flag, object_text, reason, rules, variant};

/// The explanation in lines, from the first segment tried to the outcome.
pub(crate) fn write(
    asked: &str,
    explanation: Option<&Explanation>,
    errors: &[String],
    stats: &Stats,
) -> String {
    let mut out = trace(asked, explanation, errors);
    let _ = writeln!(out, "rules    {}", rules(stats)); // writing to memory does not fail
    out
}

/// The same without a word on the rules.
pub(crate) fn trace(asked: &str, explanation: Option<&Explanation>, errors: &[String]) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = match explanation {
        Some(explanation) => write_found(&mut out, asked, explanation, errors),
        None => writeln!(out, "flag     {asked}\noutcome  {}", reason(Reason::NotFound)),
    };
    out
}

fn write_found(
    out: &mut String,
    asked: &str,
    explanation: &Explanation,
    errors: &[String],
) -> fmt::Result {
    let evaluation = &explanation.evaluation;
    writeln!(out, "flag     {}", flag(evaluation, asked))?;
    if evaluation.reason.reached_segments() {
        write!(out, "entity   {}", explanation.entity_id)?;
        match explanation.bucket {
            Some(bucket) => writeln!(out, ", bucket {bucket} of 0 to 999")?,
            None => writeln!(out)?,
        }
    }
    write_decider(out, explanation.needs)?;
    for segment in &explanation.segments {
        write_segment(out, segment)?;
    }
    for error in errors {
        writeln!(out, "error    {error}")?;
    }
    writeln!(out, "outcome  {}", reason(evaluation.reason))?;
    writeln!(out, "variant  {}", variant(evaluation))?;
    if let Some(attachment) = evaluation.attachment() {
        writeln!(out, "         {}", object_text(attachment))?;
    }
    Ok(())
}

/// Who would be asked, where that is not the rules that are explained.
fn write_decider(out: &mut String, needs: Needs) -> fmt::Result {
    if needs.is_nothing() {
        return Ok(());
    }
    let because = needs.words().collect::<Vec<_>>().join(", ");
    writeln!(out, "decider  Flagr, because {because}")?;
    let stand_in = if needs.any_of(Needs::INJECTION.and(Needs::REPAIR)) {
        "the fallback, since the rules here cannot know better"
    } else {
        "the rules here, which come to the same"
    };
    writeln!(out, "         while it cannot be asked, {stand_in}")
}

fn write_segment(out: &mut String, segment: &SegmentTrace) -> fmt::Result {
    write!(out, "segment  {}: ", segment.segment_id)?;
    match &segment.verdict {
        Verdict::Matched if segment.constraints.is_empty() => writeln!(out, "for everybody")?,
        Verdict::Matched => writeln!(out, "holds")?,
        Verdict::NotMatched => writeln!(out, "does not hold")?,
        Verdict::Failed(reason) => writeln!(out, "cannot be applied: {reason}")?,
        Verdict::NoContext => writeln!(out, "has constraints, and no context object was given")?,
    }
    for ConstraintTrace { text, outcome } in &segment.constraints {
        match outcome {
            Ok(true) => writeln!(out, "           yes  {text}")?,
            Ok(false) => writeln!(out, "           no   {text}")?,
            Err(reason) => writeln!(out, "           no   {text}: {reason}")?,
        }
    }
    segment.rollout.as_ref().map_or(Ok(()), |rollout| write_rollout(out, rollout))
}

fn write_rollout(out: &mut String, rollout: &RolloutTrace) -> fmt::Result {
    writeln!(out, "           rollout {} %", rollout.percent)?;
    let width =
        rollout.ranges.iter().map(|it| it.variant.chars().count()).max().unwrap_or_default();
    for range in &rollout.ranges {
        write!(out, "           {:width$}  ", range.variant)?;
        match range.cut.checked_sub(1).filter(|last| range.start <= *last) {
            None => write!(out, "no bucket")?,
            Some(last) => write!(out, "buckets {} to {last}", range.start)?,
        }
        match range.end.checked_sub(1).filter(|_| range.cut < range.end) {
            None => writeln!(out)?,
            Some(last) => writeln!(out, "; {} to {last} are left out", range.cut)?,
        }
    }
    writeln!(out, "           {}", rollout.outcome)
}
