//! A written document of flags, of which one is read after the other.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::document::{JsonError, raw_rows};
use super::pieces::{Walk, place, read_written, written_id};
use crate::{Flag, FlagId, Problem};

/// The flags of a document that [`write_flag`](super::write_flag) wrote. It holds nothing but the document, and finds each
/// flag when it is asked for: the definitions of all flags at once need several times the memory of the text.
pub struct WrittenRows {
    document: Arc<[u8]>,
    /// Where the flags are, if the document is laid out in another way than it is written here.
    places: Option<Vec<Range<usize>>>,
}

impl WrittenRows {
    /// Goes through a document once, to know that it is whole.
    ///
    /// # Errors
    ///
    /// If it is no document of flags.
    pub fn of(document: &Arc<[u8]>) -> Result<Self, JsonError> {
        let mut walk = Walk::of(document);
        while walk.next(document).is_some() {}
        let places = if walk.is_at_end(document) {
            None
        } else {
            let text = std::str::from_utf8(document).unwrap_or_default();
            Some(raw_rows(text)?.into_iter().map(|row| place(text, row)).collect())
        };
        Ok(Self { document: Arc::clone(document), places })
    }

    /// The ids of the flags.
    pub fn ids(&self) -> impl Iterator<Item = FlagId> {
        let row = |place| std::str::from_utf8(self.document.get(place)?).ok();
        self.places().filter_map(move |it| written_id(row(it)?))
    }

    /// The flags, each read when it is asked for, or what is wrong with it.
    pub fn into_flags(self) -> impl Iterator<Item = Result<Flag, Problem>> {
        let places = self.places();
        places.map(move |it| read_written(self.document.get(it).unwrap_or_default()))
    }

    fn places(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let document = Arc::clone(&self.document);
        let mut walk = Walk::of(&document);
        let mut listed = self.places.clone().map(Vec::into_iter);
        std::iter::from_fn(move || match &mut listed {
            Some(listed) => listed.next(),
            None => walk.next(&document),
        })
    }
}

/// Sizes, not contents.
impl fmt::Debug for WrittenRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenRows").field("bytes", &self.document.len()).finish_non_exhaustive()
    }
}
