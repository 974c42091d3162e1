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
