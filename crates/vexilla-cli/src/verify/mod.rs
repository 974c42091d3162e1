//! Whether this Vexilla decides as a running Flagr does: generated cases, decided here and there.
//!
//! [`run`] goes through the flags in turn: `cases` makes contexts out of a flag's own constraints, the rules held here
//! decide them, Flagr decides them in batches (`ask`), `compare` holds the answers against each other, and `shrink` makes
//! a difference small. Nothing is written to Flagr; a flag whose evaluations it records is left alone unless told
//! otherwise.

mod ask;
mod buckets;
mod cases;
mod command;
mod compare;
mod driver;
mod literals;
mod options;
mod peer;
mod place;
mod probe;
mod report;
mod reproduction;
mod samples;
mod shrink;
mod skip;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use command::command;
use driver::run;
use options::{Options, RecordedFlags};
use peer::Peer;
use report::{Difference, Ending, Progress, Report};
