//! All flags as they were read once: in a fixed order, with the newest change that they show, and a fingerprint.

use sha2::{Digest, Sha256};
use vexilla_domain::json::Rows;
use vexilla_domain::{Flag, SourceError};

use crate::error;

/// The flags of a Flagr.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Sorted by id: the export's order is another one on every call.
    pub(crate) rows: Rows,
    /// How far they are known to be up to date.
    pub(crate) shows: Shows,
    /// The same for the same flags in any order and in every process.
    pub(crate) content: u64,
}

/// What flags show of when they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Every change up to this one, the largest snapshot id that a flag carries (0 when none does): an export.
    UpTo(u64),
    /// What Flagr's database held when it was asked: the REST list.
    Everything,
}

/// Reads the export that a call (`GET /api/v1/…`) answered.
pub(crate) fn export(call: &str, body: &[u8]) -> Result<Reading, SourceError> {
    // An array would be Flagr's REST list of flags, which comes from another path: here it means a wrong server.
    if starts_with(body, b'[') {
        return Err(error::unreadable(call, &"an array instead of `{\"Flags\": […]}`").into());
    }
    let rows = read(call, body)?;
    let carried = rows.iter().map(|it| it.snapshot_id().0).max().unwrap_or_default();
    Ok(Reading::new(rows, Shows::UpTo(carried)))
}

/// Reads the list of flags that a call answered.
pub(crate) fn list(call: &str, body: &[u8]) -> Result<Reading, SourceError> {
    if starts_with(body, b'{') {
        return Err(error::unreadable(call, &"an object instead of an array of flags").into());
    }
    Ok(Reading::new(read(call, body)?, Shows::Everything))
}

fn starts_with(body: &[u8], byte: u8) -> bool {
    body.trim_ascii_start().first() == Some(&byte)
}

fn read(call: &str, body: &[u8]) -> Result<Rows, SourceError> {
    Rows::read(body).map_err(|it| error::unreadable(call, &it).into())
}

impl Reading {
    fn new(mut rows: Rows, shows: Shows) -> Self {
        rows.sort();
        let content = fingerprint(&rows);
        Self { rows, shows, content }
    }

    /// Whether there are flags and none of them has a segment or a variant: so a list looks whose server does not know
    /// that it was to load them.
    pub(crate) fn is_hollow(&self) -> bool {
        let hollow = |it: &Flag| it.segments.is_empty() && it.variants.is_empty();
        let rows = &self.rows;
        rows.problems().is_empty()
            && !rows.is_empty()
            && rows.iter().all(|it| it.flag().is_ok_and(|it| hollow(&it)))
    }
}

/// The first 64 bits of a SHA-256 over the flags as they are exported. It is kept in archives and shared between
/// processes, so nothing of it may depend on a seed, a platform or the standard library's mood.
fn fingerprint(rows: &Rows) -> u64 {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // With its length in front, no part can pass for the end of the one before.
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    for row in rows {
        part(format!("{{\"Flags\":[{}]}}", row.json()).as_bytes());
    }
    for problem in rows.problems() {
        // Not the message: it tells the place in the document, and the order there is random.
        part(&problem.flag_id.0.to_be_bytes());
        part(problem.flag.as_bytes());
        part(problem.path.as_bytes());
    }
    hasher.finalize().as_slice().first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
