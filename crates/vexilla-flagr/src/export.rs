//! Flagr's export: its flags in a fixed order, the newest change that they show, and a fingerprint.

use std::hash::{DefaultHasher, Hash, Hasher};

use vexilla_domain::{Flag, Problem, SourceError, json};

use crate::error;

/// The flags that Flagr evaluates at the moment.
#[derive(Debug)]
pub(crate) struct Export {
    /// Sorted by id: Flagr's order is another one on every call.
    pub(crate) flags: Vec<Flag>,
    /// One for each flag that could not be read.
    pub(crate) problems: Vec<Problem>,
    /// The largest snapshot id that a flag carries; 0 when none does.
    pub(crate) newest: u64,
    /// The same for the same flags in any order.
    pub(crate) content: u64,
}

/// Reads the body that a call (`GET /api/v1/…`) answered.
pub(crate) fn read(call: &str, body: &[u8]) -> Result<Export, SourceError> {
    // An array would be Flagr's REST list of flags, which comes from another path: here it means a wrong server.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(error::unreadable(call, &"an array instead of `{\"Flags\": […]}`").into());
    }
    let document = json::read_flags(body).map_err(|it| error::unreadable(call, &it))?;
    let (mut flags, mut problems) = (document.flags, document.problems);
    flags.sort_by_key(|it| it.id);
    problems.sort_by_key(|it| it.flag_id);
    let newest = flags.iter().map(|it| it.snapshot_id.0).max().unwrap_or_default();
    let content = fingerprint(&flags, &problems);
    Ok(Export { flags, problems, newest, content })
}

fn fingerprint(flags: &[Flag], problems: &[Problem]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for flag in flags {
        json::write_flags([flag]).hash(&mut hasher);
    }
    for problem in problems {
        // Not the message: it tells the place in the document, and the order there is random.
        (problem.flag_id, &problem.flag, &problem.path).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
