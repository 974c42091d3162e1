//! A document of flags, in either of Flagr's spellings.

use std::fmt;

use serde::de::{Deserialize, MapAccess};
use serde_json::value::RawValue;

use super::flag::Read;
use super::go::{Lenient, members, set};
use super::{ids, repair};
use crate::{Flag, FlagId, Level, Problem};

/// The flags of a document, and what could not be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Every flag that could be read, in the document's order, numbered and linked.
    pub flags: Vec<Flag>,
    /// One error for each flag that could not be read.
    pub problems: Vec<Problem>,
}

/// A document that is no document of flags: nothing of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    place: Option<(usize, usize)>,
    message: Box<str>,
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl From<serde_json::Error> for JsonErrorText {
    fn from(error: serde_json::Error) -> Self {
        // serde_json appends the place to its text; the place is reported apart.
        let mut text = error.to_string();
        if let Some(at) = text.rfind(" at line ") {
            text.truncate(at);
        }
        Self(text)
    }
}

/// What `serde_json` says of an error, without the place.
struct JsonErrorText(String);

impl JsonError {
    fn new(message: impl Into<Box<str>>) -> Self {
        Self { place: None, message: message.into() }
    }

    fn at(error: serde_json::Error) -> Self {
        let place = (error.line() > 0).then(|| (error.line(), error.column()));
        Self { place, message: JsonErrorText::from(error).0.into() }
    }
}

/// Reads Flagr's eval-cache export, `{"Flags": […]}`, or its REST list of flags, `[…]`.
///
/// Each flag is read for itself: one that cannot be read becomes a [`Problem`], the others are not touched by it. Ids
/// that a hand-written document leaves out are given as Flagr gives them (`flagr-semantics` 2.5).
///
/// # Errors
///
/// If the document is empty, is not JSON, or is something else than flags: a list in which nothing has a key, an object
/// without `Flags` (which Flagr takes as no flags at all). A byte-order mark in front is skipped.
pub fn read_flags(bytes: &[u8]) -> Result<Document, JsonError> {
    let text = repair(bytes);
    let text = in_text(&text);
    let rows = raw_rows(text)?;
    let mut document = Document { flags: Vec::with_capacity(rows.len()), problems: Vec::new() };
    let mut unread = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        document.flags.push(read_flag(row.get()).unwrap_or_else(|(path, message)| {
            unread.push((index, line_of(text, row), path, message));
            stand_in(row)
        }));
    }
    // A list of something else reads as flags that say nothing, since Go leaves out what it does not find.
    let is_flag = |flag: &Flag| !flag.key.is_empty();
    if !document.flags.is_empty() && !document.flags.iter().any(is_flag) {
        return Err(JsonError::new(
            "not a document of flags: none of its items has the key of a flag",
        ));
    }
    // A flag that cannot be read is numbered too, so that mending it moves nobody else's ids, and so their buckets.
    ids::normalise(&mut document.flags);
    for (index, line, path, message) in unread.into_iter().rev() {
        let flag = document.flags.remove(index);
        // An export is one line, and its order is another one each time: there a place would say nothing.
        let message =
            if line == 1 { message } else { format!("{message} (the flag starts at line {line})") };
        document.problems.push(Problem {
            level: Level::Error,
            flag_id: flag.id,
            flag: flag.key,
            path: path.into(),
            message: message.into(),
        });
    }
    document.problems.reverse();
    Ok(document)
}

/// The text without the byte-order mark in front.
pub(super) fn in_text(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// The flags of a document, none of them read.
pub(super) fn raw_rows(text: &str) -> Result<Vec<&RawValue>, JsonError> {
    match text.trim_ascii_start().as_bytes().first() {
        None => Err(JsonError::new("the document is empty")),
        Some(b'[') => serde_json::from_str(text).map_err(JsonError::at),
        Some(b'{') => {
            let root: Root = serde_json::from_str(text).map_err(JsonError::at)?;
            root.flags
                .ok_or_else(|| JsonError::new("not a document of flags: it has no member `Flags`"))
        }
        Some(_) => {
            serde_json::from_str::<&RawValue>(text).map_err(JsonError::at)?;
            Err(JsonError::new(
                "not a document of flags: neither `{\"Flags\": […]}` nor an array of flags",
            ))
        }
    }
}

/// The flag, or the path to what is wrong in it and why.
pub(super) fn read_flag(row: &str) -> Result<Flag, (String, String)> {
    if let Ok(Read(flag)) = serde_json::from_str::<Read<Flag>>(row) {
        return Ok(flag);
    }
    // Read once more, keeping track of where; only a flag with an error pays for that.
    let mut reader = serde_json::Deserializer::from_str(row);
    match serde_path_to_error::deserialize::<_, Read<Flag>>(&mut reader) {
        Ok(Read(flag)) => Ok(flag),
        Err(error) => {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { in_rest_spelling(&path) };
            Err((path, JsonErrorText::from(error.into_inner()).0))
        }
    }
}

/// `Segments[0].RolloutPercent` as `segments[0].rolloutPercent`: one spelling for all paths that are reported.
fn in_rest_spelling(path: &str) -> String {
    let steps = path.split('.').map(|step| {
        // `ID` is `id`, `SnapshotID` is `snapshotID`.
        let capitals = step.chars().take_while(char::is_ascii_uppercase).count();
        let lower = if capitals == step.len() { capitals } else { capitals.min(1) };
        let (head, tail) = step.split_at_checked(lower).unwrap_or(("", step));
        head.to_ascii_lowercase() + tail
    });
    steps.collect::<Vec<_>>().join(".")
}

/// What can be told of a flag that cannot be read: its id and key, where they at least are right.
fn stand_in(row: &RawValue) -> Flag {
    #[derive(Default)]
    struct Loose(Flag);

    impl<'de> Lenient<'de> for Loose {
        fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
            let value: &RawValue = map.next_value()?;
            match index {
                0 => self.0.id = serde_json::from_str(value.get()).map_or(self.0.id, FlagId),
                _ => self.0.key = serde_json::from_str(value.get()).unwrap_or_default(),
            }
            Ok(())
        }
    }

    let mut loose = Loose::default();
    let read =
        members(&mut serde_json::Deserializer::from_str(row.get()), &["ID", "Key"], &mut loose);
    read.map_or_else(|_| Flag::default(), |()| loose.0)
}

/// The line that a row of a document starts in, from 1.
fn line_of(text: &str, row: &RawValue) -> usize {
    let offset = (row.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

#[derive(Default)]
struct Root<'t> {
    flags: Option<Vec<&'t RawValue>>,
}

impl<'de: 't, 't> Deserialize<'de> for Root<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut root = Self::default();
        members(deserializer, &["Flags"], &mut root)?;
        Ok(root)
    }
}

impl<'de: 't, 't> Lenient<'de> for Root<'t> {
    fn read<M: MapAccess<'de>>(&mut self, _: usize, map: &mut M) -> Result<(), M::Error> {
        let flags = self.flags.get_or_insert_default();
        set(flags, map)
    }
}
