//! A written document of flags, cut between its flags, so that one of them can be read without the others.

use std::ops::Range;
use std::str;

use serde_json::value::RawValue;

use super::document::raw_rows;
use super::rows::read;
use crate::{Flag, FlagId, Problem};

/// Cuts a document into pieces of about this many bytes, each of which ends behind a flag. Joined they are the document.
/// What is no document of flags is one piece.
pub fn pieces(document: &[u8], size: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in ends(document) {
        if size <= end - start
            && let Some(piece) = document.get(start..end)
        {
            pieces.push(piece);
            start = end;
        }
    }
    pieces.extend(document.get(start..).filter(|it| !it.is_empty()));
    pieces
}

/// Where the flags of a document end.
fn ends(document: &[u8]) -> Vec<usize> {
    let Ok(text) = str::from_utf8(document) else { return Vec::new() };
    let Ok(rows) = raw_rows(text) else { return Vec::new() };
    rows.into_iter().map(|row| place(text, row).end).collect()
}

/// Where a part of the text is in it.
pub(super) fn place(text: &str, row: &RawValue) -> Range<usize> {
    let start = (row.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + row.get().len()
}

/// The ids and places of the flags in a piece, as far as they stand there as [`write_flag`](super::write_flag) writes
/// them.
pub fn flags_in(piece: &[u8]) -> Vec<(FlagId, Range<usize>)> {
    let mut found = Vec::new();
    let mut walk = Walk::of(piece);
    while let Some(row) = walk.next(piece) {
        let text = piece.get(row.clone()).and_then(|it| str::from_utf8(it).ok());
        found.extend(text.and_then(written_id).map(|id| (id, row)));
    }
    found
}

/// A walk from flag to flag of a written document, or of a piece of one.
#[derive(Debug)]
pub(super) struct Walk {
    at: usize,
}

impl Walk {
    /// From its start.
    pub(super) fn of(piece: &[u8]) -> Self {
        Self { at: if piece.starts_with(OPENING) { OPENING.len() } else { 0 } }
    }

    /// The place of the next flag of the same piece; `None` where none follows.
    pub(super) fn next(&mut self, piece: &[u8]) -> Option<Range<usize>> {
        let start = self.at + usize::from(piece.get(self.at) == Some(&b','));
        let rest = piece.get(start..).filter(|rest| rest.starts_with(b"{"))?;
        let mut rows = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        let row = rows.next()?.ok()?;
        self.at = start + row.get().len();
        Some(start..self.at)
    }

    /// Whether nothing follows but the end of a whole document.
    pub(super) fn is_at_end(&self, document: &[u8]) -> bool {
        let rest = document.get(self.at..).unwrap_or_default();
        document.starts_with(OPENING) && rest.trim_ascii_end() == b"]}"
    }
}

const OPENING: &[u8] = b"{\"Flags\":[";

/// The id in a flag as [`write_flag`](super::write_flag) writes it.
pub(super) fn written_id(row: &str) -> Option<FlagId> {
    let (id, _) = row.strip_prefix("{\"ID\":")?.split_once(',')?;
    id.parse().ok().map(FlagId)
}

/// Reads a flag that [`write_flag`](super::write_flag) wrote.
///
/// # Errors
///
/// If it is none.
pub fn read_written(text: &[u8]) -> Result<Flag, Problem> {
    read(&String::from_utf8_lossy(text))
}
