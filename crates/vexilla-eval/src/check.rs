//! What Flagr would refuse, without serving anything.

use vexilla_domain::Problem;
use vexilla_domain::json::JsonError;

use crate::compile::parse_constraint;
use crate::condition::ConditionError;
use crate::ruleset::Ruleset;

/// Everything that is wrong or odd in a document of flags, flag by flag. It is what loading the document as a file
/// would report.
///
/// # Errors
///
/// If the text is no document of flags.
pub fn check(bytes: &[u8]) -> Result<Vec<Problem>, JsonError> {
    Ruleset::from_json(bytes).map(|compilation| compilation.problems)
}

/// Whether Flagr would accept this constraint when it is written.
///
/// # Errors
///
/// What is wrong with it, and where.
pub fn check_constraint(property: &str, operator: &str, value: &str) -> Result<(), ConditionError> {
    parse_constraint(property, operator, value).map(|_| ())
}
