//! A flag as its operator defined it.

use std::fmt;
use std::sync::Arc;

use crate::{
    ConstraintId, DistributionId, FlagId, Object, SegmentId, SnapshotId, TagId, VariantId,
};

/// A feature flag with all that Flagr's export says of it.
///
/// Ids are never 0 and rows belong to the flag they stand in: reading a flag (`json`) numbers and links what a
/// hand-written file leaves out.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Flag {
    /// The id: the bucketing salt, and the first thing a flag is looked up by.
    pub id: FlagId,
    /// The key that callers ask for.
    pub key: Box<str>,
    /// What the flag is for.
    pub description: Box<str>,
    /// Who made it; empty when unknown.
    pub created_by: Box<str>,
    /// Who changed it last; empty when unknown.
    pub updated_by: Box<str>,
    /// When rows were made, changed and deleted.
    pub times: Times,
    /// A disabled flag gives every caller a blank.
    pub enabled: bool,
    /// The audiences, tried in this order (`Rank` plays no part any more).
    pub segments: Vec<Segment>,
    /// The possible outcomes.
    pub variants: Vec<Variant>,
    /// Labels to select by, in the order of their ids.
    pub tags: Vec<Tag>,
    /// The newest snapshot, 0 when unknown.
    pub snapshot_id: SnapshotId,
    /// Free markdown text.
    pub notes: Box<str>,
    /// Whether Flagr records each evaluation.
    pub data_records_enabled: bool,
    /// Replaces the entity type of a request when not empty.
    pub entity_type: Box<str>,
}

/// An audience: all constraints hold, then the rollout and the distributions choose.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Segment {
    /// The id.
    pub id: SegmentId,
    /// What the segment is for.
    pub description: Box<str>,
    /// Kept for the export; the order of `Flag::segments` decides.
    pub rank: u64,
    /// How many percent of each variant's range are let through. Above 100 counts as 100.
    pub rollout_percent: u64,
    /// All must hold.
    pub constraints: Vec<Constraint>,
    /// The variants' shares, in order.
    pub distributions: Vec<Distribution>,
    /// When the row was made, changed and deleted.
    pub times: Times,
}

/// A condition in Flagr's language: the three parts are source text.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Constraint {
    /// The id.
    pub id: ConstraintId,
    /// The attribute to read: a name or a path.
    pub property: Box<str>,
    /// `EQ`, `IN`, `EREG`, …
    pub operator: Box<str>,
    /// A literal of the condition language, quotes included.
    pub value: Box<str>,
    /// When the row was made, changed and deleted.
    pub times: Times,
}

/// A variant's share of a segment.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Distribution {
    /// The id.
    pub id: DistributionId,
    /// The variant that counts; 0 when the key names no variant of the flag.
    pub variant_id: VariantId,
    /// The variant's key, for readers.
    pub variant_key: Box<str>,
    /// The share in percent.
    pub percent: u64,
    /// When the row was made, changed and deleted.
    pub times: Times,
}

/// A possible outcome.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Variant {
    /// The id.
    pub id: VariantId,
    /// The key that callers see.
    pub key: Box<str>,
    /// A JSON object of the operator's, or none.
    pub attachment: Option<Arc<Object>>,
    /// When the row was made, changed and deleted.
    pub times: Times,
}

/// A label shared by flags.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Tag {
    /// The id.
    pub id: TagId,
    /// The label.
    pub value: Box<str>,
    /// When the row was made, changed and deleted.
    pub times: Times,
}

/// The times of a row. Evaluation looks at none of them, `deleted_at` included.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Times {
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was deleted, if a file says so.
    pub deleted_at: Option<Timestamp>,
}

/// A point in time as RFC 3339 text, kept to the letter; Go's zero time by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Timestamp(Option<Box<str>>);

impl Timestamp {
    /// Takes a text of the form `2026-11-22T19:59:37.29+01:00`, as leniently as Go does: one digit is enough for the
    /// hour, and the fraction may stand behind a comma. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        is_time(text).then(|| Self((text != Self::ZERO).then(|| text.into())))
    }

    const ZERO: &str = "0001-01-01T00:00:00Z";

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::ZERO)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether Go reads the text as RFC 3339.
fn is_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else { return false };
    let mut date = date.splitn(3, '-').map(|part| (part.len(), number(part)));
    let (Some((4, Some(year))), Some((2, Some(month))), Some((2, Some(day)))) =
        (date.next(), date.next(), date.next())
    else {
        return false;
    };
    let clock_end = rest.find(|it: char| !it.is_ascii_digit() && it != ':').unwrap_or(rest.len());
    let (clock, rest) = rest.split_at(clock_end);
    let mut clock = clock.splitn(3, ':').map(|part| (part.len(), number(part)));
    let (Some((1 | 2, Some(0..=23))), Some((2, Some(0..=59))), Some((2, Some(0..=59)))) =
        (clock.next(), clock.next(), clock.next())
    else {
        return false;
    };
    let zone = match rest.strip_prefix(['.', ',']) {
        None => rest,
        Some(fraction) => match fraction.trim_start_matches(|it: char| it.is_ascii_digit()) {
            zone if zone.len() < fraction.len() => zone,
            _ => return false,
        },
    };
    (1..=days(year, month)).contains(&day) && is_zone(zone)
}

/// `Z`, or an offset; Go takes up to 24 hours and up to 60 minutes.
fn is_zone(text: &str) -> bool {
    let Some((hours, minutes)) = text.strip_prefix(['+', '-']).and_then(|it| it.split_once(':'))
    else {
        return text == "Z";
    };
    let two_digits =
        |part: &str, most| part.len() == 2 && number(part).is_some_and(|it| it <= most);
    two_digits(hours, 24) && two_digits(minutes, 60)
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// How many days a month has; none where there is no such month.
fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
