//! A flag for an entity: segments in order, then the rollout (4.2, 4.3, 5).

use vexilla_domain::{Context, Flag, Segment};

use super::{Outcome, expr, parse, source};

/// What Flagr would report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Disabled,
    NoSegments,
    /// No segment's constraints hold.
    NoMatch,
    /// A segment matched, and its rollout gave no variant.
    Out,
    /// The ids of variant and segment, and the variant's key where the flag has that variant.
    Variant(u64, u64, Option<String>),
}

/// Whether Flagr can load the flag: each segment's constraints, joined, are a condition.
pub(crate) fn loads(flag: &Flag) -> bool {
    let is_fine = |it: &Segment| {
        it.constraints.is_empty()
            || source::segment(&it.constraints).is_some_and(|text| parse::parse(&text).is_some())
    };
    flag.segments.iter().all(is_fine)
}

pub(crate) fn decide(flag: &Flag, ctx: &Context) -> Decision {
    if !flag.enabled {
        return Decision::Disabled;
    }
    if flag.segments.is_empty() {
        return Decision::NoSegments;
    }
    match flag.segments.iter().find(|it| outcome(it, ctx) == Outcome::Match) {
        None => Decision::NoMatch,
        Some(segment) => match roll_out(flag.id.0, segment, ctx.entity_id()) {
            None => Decision::Out,
            Some(variant) => {
                // Flagr goes through the variants with a map by id: of several the last counts.
                let found = flag.variants.iter().rfind(|it| it.id.0 == variant);
                Decision::Variant(variant, segment.id.0, found.map(|it| it.key.to_string()))
            }
        },
    }
}

/// What a segment's constraints come to.
pub(crate) fn outcome(segment: &Segment, ctx: &Context) -> Outcome {
    if segment.constraints.is_empty() {
        return Outcome::Match;
    }
    let Some(context) = ctx.object() else { return Outcome::NoContext };
    let condition = source::segment(&segment.constraints).and_then(|text| parse::parse(&text));
    match condition.and_then(|condition| expr::holds(&condition, context)) {
        Some(true) => Outcome::Match,
        Some(false) => Outcome::NoMatch,
        None => Outcome::Error,
    }
}

/// The id of the variant, or none.
pub(crate) fn roll_out(flag: u64, segment: &Segment, entity: &str) -> Option<u64> {
    let percent = segment.rollout_percent;
    if percent == 0 || segment.distributions.is_empty() {
        return None;
    }
    let bucket = u64::from(crc32fast::hash(format!("{flag}{entity}").as_bytes())) % 1000;
    let mut sum = 0;
    let mut ends = Vec::new();
    for row in &segment.distributions {
        sum += 10 * row.percent;
        ends.push(sum);
    }
    let index = ends.partition_point(|end| *end < bucket + 1);
    let row = segment.distributions.get(index)?; // beyond the last end Flagr panics
    let low = if index == 0 { 0 } else { ends[index - 1] };
    let (inside, width) = (bucket - low, (ends[index] - low).saturating_sub(1));
    (percent >= 100 || 100 * inside <= width * percent).then_some(row.variant_id.0)
}
