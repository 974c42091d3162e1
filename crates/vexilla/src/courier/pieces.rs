//! A batch in pieces, which get smaller until what is at fault stands alone.

use std::ops::Range;

/// The pieces of a batch that are still to be sent, the first one last.
#[derive(Debug)]
pub(super) struct Pieces {
    open: Vec<Range<usize>>,
}

impl Pieces {
    pub(super) fn of(count: usize) -> Self {
        Self { open: std::iter::once(0..count).collect() }
    }

    /// The next piece, of at most so many.
    pub(super) fn next(&mut self, most: usize) -> Option<Range<usize>> {
        let piece = self.open.pop().filter(|it| !it.is_empty())?;
        let end = piece.end.min(piece.start.saturating_add(most.max(1)));
        if end < piece.end {
            self.open.push(end..piece.end);
        }
        Some(piece.start..end)
    }

    /// Has the halves of a piece tried that something is wrong with. Gives whether it has any: of one, all is known.
    pub(super) fn halve(&mut self, piece: &Range<usize>) -> bool {
        if piece.len() < 2 {
            return false;
        }
        let middle = piece.start + piece.len() / 2;
        self.open.push(middle..piece.end);
        self.open.push(piece.start..middle);
        true
    }
}

#[cfg(test)]
mod tests;
