//! What everybody may see of Flagr's refusals, in the log and in statistics.
//!
//! Flagr may repeat whom it was told of, so its own words are for who debugs.

use std::fmt;

use tracing::debug;
use vexilla_domain::{PortError, with_causes};

use crate::error::brief;

/// Why records were not taken.
pub(super) fn of_error<K: fmt::Debug + 'static>(what: &str, error: &PortError<K>) -> Box<str> {
    debug!(error = %with_causes(error), "Flagr does not take {what}");
    brief(error).into()
}

/// Flagr's reasons to refuse a row, as far as they repeat nothing of it.
const REASONS: [&str; 6] = [
    "entityID is required",
    "exposure row is null",
    "flagID or flagKey is required",
    "flag not found",
    "flagID and flagKey refer to different flags",
    "variantID and variantKey do not match",
];

/// Why one of them was refused, which Flagr said with this message.
pub(super) fn of_row(what: &str, message: &str) -> &'static str {
    debug!(error = %message, "Flagr refuses one of the {what}");
    let is_missing =
        |name: &str| message.starts_with(name) && message.ends_with(" not found on flag");
    match REASONS.into_iter().find(|it| *it == message) {
        Some(reason) => reason,
        None if is_missing("variantID ") => "variantID not found on flag",
        None if is_missing("variantKey ") => "variantKey not found on flag",
        None => "for a reason that level `debug` shows",
    }
}

#[cfg(test)]
mod tests;
