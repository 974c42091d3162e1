//! The words in which Go's decoder refuses a body. Looked for only when reading has failed.

mod mismatch;
mod scan;

use vexilla_domain::json::repair;

use crate::reject::Rejected;

pub(crate) use mismatch::{Kind, Struct};
pub(crate) use scan::{MAX_DEPTH, first_value, only_value};

/// What Flagr answers to a body that serde could not read: first comes the syntax up to the end of the value, then the
/// first member of another type. What Go would have taken is refused by a limit of ours, in serde's words.
pub(crate) fn explain(body: &[u8], shape: &'static Struct, error: &serde_json::Error) -> Rejected {
    let value = match first_value(body) {
        Ok(value) => repair(value),
        Err(error) => return error.into(),
    };
    Rejected::Unreadable(mismatch::find(&value, shape).unwrap_or_else(|| without_place(error)))
}

/// The error's text without the place in the text that `serde_json` appends.
fn without_place(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    while let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests;
