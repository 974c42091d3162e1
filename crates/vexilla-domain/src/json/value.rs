//! Values: contexts with the text of their numbers, attachments through float64.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};
use serde_json::value::RawValue;

use crate::{Number, Object, Value};

/// What becomes of the numbers of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Their text is kept, whatever it is: the body of a `POST`.
    AsWritten,
    /// They go through float64, and one out of its range is an error: files, `GET`.
    Float64,
}

/// Objects and arrays nested deeper than this are refused.
const MAX_DEPTH: usize = 100;

/// A value that is JSON and yet cannot be read. There will be no further reasons without a new major version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Objects and arrays are nested deeper than is followed.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A number does not fit a float64.
    #[error("number `{0}` is out of range")]
    OutOfRange(Box<str>),
    /// The text is not JSON after all; what a JSON reader has passed always is.
    #[error("not JSON")]
    Broken,
}

/// Reads one JSON value out of text that a JSON reader has passed already.
///
/// # Errors
///
/// For nesting deeper than 100, and for a number out of range where [`Numbers::Float64`] is asked for.
pub fn read_value(raw: &RawValue, numbers: Numbers) -> Result<Value, ValueError> {
    read(raw.get(), numbers, 0)
}

// A number's text is only to be had through `RawValue` without changing how all of serde_json reads numbers. Each level
// skips through the levels below it once more; MAX_DEPTH bounds that.
fn read(text: &str, numbers: Numbers, depth: usize) -> Result<Value, ValueError> {
    if depth > MAX_DEPTH {
        return Err(ValueError::TooDeep);
    }
    Ok(match text.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => Value::String(string(text)?.into()),
        Some(b'[') => {
            let mut reader = serde_json::Deserializer::from_str(text);
            Value::Array(
                reader
                    .deserialize_seq(Items { numbers, depth })
                    .unwrap_or(Err(ValueError::Broken))?,
            )
        }
        Some(b'{') => {
            let mut reader = serde_json::Deserializer::from_str(text);
            Value::Object(
                reader
                    .deserialize_map(Members { numbers, depth })
                    .unwrap_or(Err(ValueError::Broken))?,
            )
        }
        _ => Value::Number(number(text, numbers)?),
    })
}

fn string(text: &str) -> Result<Cow<'_, str>, ValueError> {
    match text.get(1..text.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(text).map(Cow::Owned).map_err(|_| ValueError::Broken),
    }
}

fn number(text: &str, numbers: Numbers) -> Result<Number, ValueError> {
    let out_of_range = || ValueError::OutOfRange(text.into());
    let number = Number::from_json_text(text).ok_or_else(out_of_range)?;
    match numbers {
        Numbers::AsWritten => Ok(number),
        Numbers::Float64 => number.as_f64().and_then(Number::from_f64).ok_or_else(out_of_range),
    }
}

struct Items {
    numbers: Numbers,
    depth: usize,
}

impl<'de> Visitor<'de> for Items {
    type Value = Result<Vec<Value>, ValueError>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut array = Vec::new();
        while let Some(raw) = items.next_element::<&RawValue>()? {
            array.push(read(raw.get(), self.numbers, self.depth + 1));
        }
        Ok(array.into_iter().collect())
    }
}

struct Members {
    numbers: Numbers,
    depth: usize,
}

impl<'de> Visitor<'de> for Members {
    type Value = Result<Object, ValueError>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Vec::new();
        while let Some((name, raw)) = members.next_entry::<Box<str>, &RawValue>()? {
            object.push(read(raw.get(), self.numbers, self.depth + 1).map(|value| (name, value)));
        }
        Ok(object.into_iter().collect())
    }
}

/// Writes a value as Go's `encoding/json` does: members in the order of their bytes, numbers by their text, U+2028 and
/// U+2029 escaped, `<`, `>` and `&` not.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_display(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            let mut before = b'[';
            for item in items {
                out.push(before);
                before = b',';
                write_value(out, item);
            }
            out.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
        }
        Value::Object(object) => write_object(out, object),
    }
}

pub(super) fn write_object(out: &mut Vec<u8>, object: &Object) {
    let mut before = b'{';
    for (name, value) in object.iter() {
        out.push(before);
        before = b',';
        write_string(out, name);
        out.push(b':');
        write_value(out, value);
    }
    out.extend_from_slice(if object.is_empty() { b"{}" } else { b"}" });
}

/// Writes a text as a JSON string, escaped as [`write_value`] does.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let written = text.serialize(&mut Serializer::with_formatter(&mut *out, GoFormatter));
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

pub(super) fn write_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

/// The compact form of `serde_json`, with the two line separators escaped that Go always escapes.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
            let (plain, found) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            writer.write_all(if found.starts_with('\u{2028}') {
                b"\\u2028"
            } else {
                b"\\u2029"
            })?;
            rest = found.get('\u{2028}'.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        CompactFormatter.write_char_escape(writer, escape)
    }
}
