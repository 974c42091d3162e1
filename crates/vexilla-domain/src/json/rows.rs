//! Flags of a document that are read one at a time, when they are asked for.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::document::{Document, JsonError, in_text, raw_rows, read_flag};
use super::export::append_flag;
use super::{ids, read_flags, repair, write_flag};
use crate::{Flag, FlagId, Level, Problem, SnapshotId};

/// The flags of a document, most of them as text until somebody takes them: all definitions at once need several times
/// the memory of the text, and of what is made of them.
///
/// They are read as [`read_flags`] reads them, and what it finds is known from the start.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

/// One flag of [`Rows`].
#[derive(Debug, Clone)]
pub struct Row {
    id: FlagId,
    snapshot_id: SnapshotId,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// As [`write_flag`] writes it, within a text that all rows share: many small texts would leave holes behind.
    Text(Arc<[u8]>, Range<usize>),
    Read(Box<Flag>),
}

impl Rows {
    /// Reads what [`read_flags`] reads, and keeps it as text.
    ///
    /// # Errors
    ///
    /// As for [`read_flags`].
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        let text = repair(bytes);
        let raw = raw_rows(in_text(&text))?;
        let mut places = Vec::with_capacity(raw.len());
        let mut written = Vec::with_capacity(bytes.len());
        let mut has_key = raw.is_empty();
        for row in raw {
            match read_flag(row.get()) {
                Ok(mut flag) if ids::is_numbered(&flag) => {
                    ids::link(&mut flag);
                    has_key |= !flag.key.is_empty();
                    let start = written.len();
                    append_flag(&mut written, &flag);
                    places.push((flag.id, flag.snapshot_id, start..written.len()));
                }
                // To number a flag, or to tell what is wrong with it, takes a look at all of them.
                _ => return read_flags(bytes).map(Self::from),
            }
        }
        if !has_key {
            return read_flags(bytes).map(Self::from);
        }
        let text: Arc<[u8]> = written.into();
        let row = |(id, snapshot_id, place)| Row {
            id,
            snapshot_id,
            content: Content::Text(Arc::clone(&text), place),
        };
        Ok(Self { rows: places.into_iter().map(row).collect(), problems: Vec::new() })
    }

    /// One error for each flag that could not be read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The flags, and what could not be read, apart.
    pub fn into_parts(self) -> (Vec<Row>, Vec<Problem>) {
        (self.rows, self.problems)
    }

    /// All flags at once.
    pub fn into_document(self) -> Document {
        let mut problems = self.problems;
        let mut flags = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            match row.into_flag() {
                Ok(flag) => flags.push(flag),
                Err(problem) => problems.push(problem),
            }
        }
        Document { flags, problems }
    }

    /// How many flags could be read.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing, not even a flag that could not be read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.problems.is_empty()
    }

    /// The flags.
    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }

    /// The flags, to put others in their places.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Row> {
        self.rows.iter_mut()
    }

    /// Puts flags and problems into the order of their ids, then keys.
    pub fn sort(&mut self) {
        let key = |row: &Row| row.flag().map(|it| it.key.clone()).unwrap_or_default();
        self.rows.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| key(a).cmp(&key(b))));
        self.problems.sort_by(|a, b| (a.flag_id, &a.flag).cmp(&(b.flag_id, &b.flag)));
    }
}

impl<'r> IntoIterator for &'r Rows {
    type Item = &'r Row;
    type IntoIter = std::slice::Iter<'r, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'r> IntoIterator for &'r mut Rows {
    type Item = &'r mut Row;
    type IntoIter = std::slice::IterMut<'r, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

/// Flags that are read already stay so.
impl From<Document> for Rows {
    fn from(document: Document) -> Self {
        let rows = document.flags.into_iter().map(Row::from).collect();
        Self { rows, problems: document.problems }
    }
}

impl Row {
    /// The flag's id.
    pub fn id(&self) -> FlagId {
        self.id
    }

    /// The flag's newest snapshot, 0 when unknown.
    pub fn snapshot_id(&self) -> SnapshotId {
        self.snapshot_id
    }

    /// The flag as an item of Flagr's export.
    pub fn json(&self) -> Cow<'_, str> {
        match &self.content {
            Content::Text(text, place) => Cow::Borrowed(part(text, place)),
            Content::Read(flag) => Cow::Owned(write_flag(flag)),
        }
    }

    /// Reads the flag.
    ///
    /// # Errors
    ///
    /// If its text is none of a flag, which that of [`Rows`] always is.
    pub fn flag(&self) -> Result<Cow<'_, Flag>, Problem> {
        match &self.content {
            Content::Read(flag) => Ok(Cow::Borrowed(flag)),
            Content::Text(text, place) => read(part(text, place)).map(Cow::Owned),
        }
    }

    /// The same, of a row that is not needed any more.
    ///
    /// # Errors
    ///
    /// As for [`flag`](Self::flag).
    pub fn into_flag(self) -> Result<Flag, Problem> {
        match self.content {
            Content::Read(flag) => Ok(*flag),
            Content::Text(text, place) => read(part(&text, &place)),
        }
    }
}

impl From<Flag> for Row {
    fn from(flag: Flag) -> Self {
        let (id, snapshot_id) = (flag.id, flag.snapshot_id);
        Self { id, snapshot_id, content: Content::Read(Box::new(flag)) }
    }
}

/// Sizes, not contents.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_, place) => f.debug_tuple("Text").field(place).finish(),
            Self::Read(flag) => f.debug_tuple("Read").field(flag).finish(),
        }
    }
}

fn part<'t>(text: &'t [u8], place: &Range<usize>) -> &'t str {
    text.get(place.clone()).and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default()
}

pub(super) fn read(text: &str) -> Result<Flag, Problem> {
    let unreadable = |(path, message): (String, String)| Problem {
        level: Level::Error,
        flag_id: FlagId(0),
        flag: Box::default(),
        path: path.into(),
        message: message.into(),
    };
    let flag = read_flag(text).map_err(unreadable)?;
    if ids::is_numbered(&flag) {
        return Ok(flag);
    }
    Err(unreadable((String::new(), "has objects without ids".to_owned())))
}
