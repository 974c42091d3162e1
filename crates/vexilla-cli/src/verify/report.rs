//! What came of a run.

use vexilla_domain::{Context, FlagId, FlagName};

use super::compare::Mismatch;

/// The result of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many cases both sides have decided.
    pub(crate) compared: u64,
    /// How many of them came out differently.
    pub(crate) differing: u64,
    /// The first few of those for each flag, made small.
    pub(crate) differences: Vec<Difference>,
    /// Flags that were left out, or given up, and why.
    pub(crate) skipped: Vec<Skipped>,
    /// Cases that Flagr did not answer, the first for each flag.
    pub(crate) flaws: Vec<Flaw>,
    /// How many cases Flagr did not answer.
    pub(crate) unanswered: u64,
    /// How the run ended.
    pub(crate) ending: Ending,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Ending {
    /// All cases were asked.
    #[default]
    Finished,
    /// There was no flag to ask for.
    NothingToAsk,
    /// Flagr stopped answering; what it was that went wrong.
    GaveUp(String),
}

/// A case that came out differently.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The flag.
    pub(crate) flag: FlagName,
    /// The smallest context found for which the answers differ.
    pub(crate) context: Context,
    /// What differs.
    pub(crate) mismatches: Vec<Mismatch>,
    /// Flag, context and both answers as JSON.
    pub(crate) reproduction: String,
}

/// A flag that was not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The flag.
    pub(crate) flag: FlagName,
    /// Why, in words that go on from "is left out: ".
    pub(crate) reason: String,
}

/// A case that Flagr fails at.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// The flag.
    pub(crate) flag: FlagName,
    /// For whom.
    pub(crate) context: Context,
    /// What it said.
    pub(crate) message: String,
    /// Whether Flagr panicked at the flag's data, which the next request would do as well.
    pub(crate) panicked: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Cases done, answered or not.
    pub(crate) done: u64,
    /// Cases in all.
    pub(crate) of: u64,
    /// Differences so far.
    pub(crate) differing: u64,
    /// The flag that was asked for last.
    pub(crate) flag: FlagId,
}

impl Report {
    /// 0 when all answers agree, 1 when some differ, 2 when that cannot be said.
    pub(crate) fn status(&self) -> u8 {
        match &self.ending {
            _ if self.differing > 0 => 1,
            Ending::Finished if self.compared > 0 => 0,
            _ => 2,
        }
    }
}
