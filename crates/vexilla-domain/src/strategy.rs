//! Who decides a flag: the rules held here, or Flagr.

use crate::{Flag, Segment};

/// Who is to decide a flag by its definition alone. There will be no further strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The outcome follows from the constraints.
    #[default]
    Local,
    /// An entity's bucket takes part: a partial rollout, or several variants.
    Remote,
}

impl Strategy {
    /// `local` or `remote`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

/// Why Flagr is to decide a flag rather than the rules held here: a set, empty for a flag that anybody can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Needs(u8);

impl Needs {
    /// Nothing: the flag is decided here.
    pub const NOTHING: Self = Self(0);
    /// The bucket decides in one of its segments ([`Strategy::Remote`]).
    pub const BUCKET: Self = Self(1);
    /// Flagr records its evaluations.
    pub const RECORD: Self = Self(1 << 1);
    /// A constraint reads a key that Flagr puts into contexts (`@ts…`, `@http_…`): only Flagr knows its value.
    pub const INJECTION: Self = Self(1 << 2);
    /// It is in error and has no good version here.
    pub const REPAIR: Self = Self(1 << 3);

    /// What it is made of is not in the rules, but under a budget of memory: it is to be loaded first.
    pub const BODY: Self = Self(1 << 4);

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets have in common.
    #[must_use]
    pub const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the sets have anything in common.
    #[inline]
    pub const fn any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is nothing in the set.
    pub const fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// What is in the set, in words that go on after `because`.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = [
            (Self::BUCKET, "the entity's bucket decides"),
            (Self::RECORD, "Flagr records its evaluations"),
            (Self::INJECTION, "it reads what Flagr puts into contexts"),
            (Self::REPAIR, "it is in error here"),
            (Self::BODY, "it is not in memory"),
        ];
        words.into_iter().filter(move |(need, _)| self.any_of(*need)).map(|(_, words)| words)
    }
}

impl Flag {
    /// The rule of the design that Vexilla starts from: a flag is remote when it is enabled and the bucket decides in
    /// any of its segments.
    pub fn strategy(&self) -> Strategy {
        let remote = self.enabled && self.segments.iter().any(is_partial);
        if remote { Strategy::Remote } else { Strategy::Local }
    }
}

/// Whether an entity's bucket takes part in the segment: a rollout between 0 and 100 %, several distribution rows, or a
/// single one below 100 %. A rollout of 0 % lets nobody in, which needs no bucket.
fn is_partial(segment: &Segment) -> bool {
    let rows = &segment.distributions;
    (1..100).contains(&segment.rollout_percent)
        || rows.len() > 1
        || rows.iter().any(|row| row.percent < 100)
}

#[cfg(test)]
mod tests;
