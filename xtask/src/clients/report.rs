//! What a suite writes, line by line: `ok NAME`, `FAILED NAME: why`, `skipped NAME: why`.

use std::fmt;

use crate::integ::Tally;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed,
    Skipped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// The checks of a suite, each printed as it is told.
#[derive(Debug)]
pub(super) struct Report {
    suite: &'static str,
    tally: Tally,
}

impl Report {
    pub(super) fn new(suite: &'static str) -> Self {
        Self { suite, tally: Tally::default() }
    }

    /// Prints and counts one check.
    pub(super) fn tell(&mut self, outcome: Outcome, check: impl fmt::Display) {
        println!("{outcome:<7} {:<13} {check}", self.suite);
        match outcome {
            Outcome::Ok => self.tally.passed += 1,
            Outcome::Failed => self.tally.failed += 1,
            Outcome::Skipped => self.tally.skipped += 1,
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }
}

/// The check that a line tells of; of a line of another kind nothing.
pub(super) fn read(line: &str) -> Option<(Outcome, &str)> {
    match line.split_once(' ')? {
        ("ok", rest) => Some((Outcome::Ok, rest)),
        ("FAILED", rest) => Some((Outcome::Failed, rest)),
        ("skipped", rest) => Some((Outcome::Skipped, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
