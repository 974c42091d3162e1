//! Values: contexts with the text of their numbers, attachments through float64.

use std::io::{self, Write};

use serde::Serialize;
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
    Reader { rest: raw.get(), numbers }.value(0)
}

/// Walks once through text that is known to be JSON.
///
/// `serde_json` gives the text of a number only as a `RawValue`, which would read each level of nesting anew, or by a
/// feature that changes how everybody in the build reads numbers. Behind its checks little is left to do.
struct Reader<'t> {
    rest: &'t str,
    numbers: Numbers,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Result<Value, ValueError> {
        if depth > MAX_DEPTH {
            return Err(ValueError::TooDeep);
        }
        match self.next_byte() {
            Some(b'n') => self.take(4).map(|_| Value::Null),
            Some(b't') => self.take(4).map(|_| Value::Bool(true)),
            Some(b'f') => self.take(5).map(|_| Value::Bool(false)),
            Some(b'"') => self.string().map(Value::String),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(_) => self.number(),
            None => Err(ValueError::Broken),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, ValueError> {
        let mut items = Vec::new();
        self.take(1)?;
        while self.next_byte() != Some(b']') {
            items.push(self.value(depth + 1)?);
            self.skip_comma()?;
        }
        self.take(1).map(|_| Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, ValueError> {
        let mut members = Vec::new();
        self.take(1)?;
        while self.next_byte() != Some(b'}') {
            let name = self.string()?;
            self.next_byte();
            self.take(1)?; // the colon
            members.push((name, self.value(depth + 1)?));
            self.skip_comma()?;
        }
        self.take(1).map(|_| Value::Object(members.into_iter().collect()))
    }

    fn string(&mut self) -> Result<Box<str>, ValueError> {
        let mut bytes = self.rest.bytes().enumerate().skip(1);
        let mut escapes = false;
        let end = loop {
            match bytes.next() {
                Some((end, b'"')) => break end,
                Some((_, b'\\')) => {
                    escapes = true;
                    bytes.next();
                }
                Some(_) => {}
                None => return Err(ValueError::Broken),
            }
        };
        let token = self.take(end + 1)?;
        if escapes {
            return serde_json::from_str(token).map_err(|_| ValueError::Broken);
        }
        token.get(1..end).map(Into::into).ok_or(ValueError::Broken)
    }

    fn number(&mut self) -> Result<Value, ValueError> {
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(self.rest.len());
        let text = self.take(end)?;
        let number = Number::from_json_text(text).ok_or(ValueError::Broken)?;
        Ok(Value::Number(match self.numbers {
            Numbers::AsWritten => number,
            Numbers::Float64 => number
                .as_f64()
                .and_then(Number::from_f64)
                .ok_or_else(|| ValueError::OutOfRange(text.into()))?,
        }))
    }

    fn skip_comma(&mut self) -> Result<(), ValueError> {
        if self.next_byte() == Some(b',') {
            self.take(1)?;
        }
        Ok(())
    }

    /// Skips white space; the byte behind it.
    fn next_byte(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    fn take(&mut self, length: usize) -> Result<&'t str, ValueError> {
        let (token, rest) = self.rest.split_at_checked(length).ok_or(ValueError::Broken)?;
        self.rest = rest;
        Ok(token)
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
    // 0xE2 begins the two line separators, among others.
    if text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\' | 0xE2)) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
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
