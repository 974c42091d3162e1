//! What came of a run.

use std::collections::HashSet;

use vexilla_domain::{Context, FlagId, FlagName};

use super::compare::Mismatch;

/// The result of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many flags there are.
    pub(crate) known: usize,
    /// The flags of which both sides have decided a case.
    pub(crate) asked: HashSet<FlagId>,
    /// How many cases both sides have decided.
    pub(crate) compared: u64,
    /// How many of them came out differently.
    pub(crate) differing: u64,
    /// How many those are for each flag that has any.
    pub(crate) differing_of: Vec<(FlagName, u64)>,
    /// The first few of those for each flag, made small, and no two alike.
    pub(crate) differences: Vec<Difference>,
    /// Flags that were left out for what they are, and why.
    pub(crate) skipped: Vec<Skipped>,
    /// Flags of which nothing can be said, or not enough, and why.
    pub(crate) given_up: Vec<Skipped>,
    /// Flags that are to be read again.
    pub(crate) moved: Vec<FlagName>,
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
    /// Somebody had enough of it.
    Interrupted,
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
    /// How it is decided here.
    pub(crate) trace: String,
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

impl Skipped {
    pub(crate) fn new(flag: FlagName, reason: &str) -> Self {
        Self { flag, reason: reason.to_owned() }
    }
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
    /// One more case of a flag came out differently.
    pub(crate) fn differs(&mut self, flag: FlagName) {
        self.differing += 1;
        match self.differing_of.iter_mut().find(|it| it.0.id == flag.id) {
            Some((_, count)) => *count += 1,
            None => self.differing_of.push((flag, 1)),
        }
    }

    /// 0 when all answers agree, 1 when some differ, 2 when that cannot be said of each flag that was to be asked for.
    pub(crate) fn status(&self) -> u8 {
        match &self.ending {
            _ if self.differing > 0 => 1,
            Ending::Finished if self.compared > 0 && self.given_up.is_empty() => 0,
            _ => 2,
        }
    }
}
