//! The switches of `(?i)` and its kind.

use super::{
    class::Case,
    cursor::Cursor,
    error::{Complaint, PatternError},
};

/// The switches that change what matches. `U` changes only how much does, so it is read and dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    pub(super) case: Case,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { case: Case::Exact, multi_line: false, dot_all: false }
    }
}

impl Flags {
    /// Reads flags up to the `:` that opens a group, or the `)` that does not, and says which it was.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        start: Cursor<'_>,
    ) -> Result<bool, PatternError> {
        let mut flags = *self;
        let mut on = true;
        let mut dangling_minus = false;
        while let Some(next) = cursor.next() {
            match next {
                'i' => flags.case = if on { Case::Folded } else { Case::Exact },
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'U' => {}
                '-' if on => on = false,
                ':' | ')' if !dangling_minus => {
                    *self = flags;
                    return Ok(next == ':');
                }
                _ => break,
            }
            dangling_minus = next == '-';
        }
        Err(Complaint::PerlSyntax.about(cursor.since(start)))
    }
}
