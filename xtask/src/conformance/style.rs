//! How a recording is written down: as it was before, so that a line shows what changed in it and no more.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// No blanks.
    Compact,
    /// A blank after each comma and colon.
    Spaced,
    /// The same, and what is not ASCII is escaped.
    SpacedAscii,
    /// A line an item, indented by one blank.
    Indented,
}

impl Style {
    pub(super) fn write(self, value: &impl Serialize) -> Result<String> {
        let mut text = Vec::new();
        match self {
            Self::Compact => {
                value.serialize(&mut Serializer::with_formatter(&mut text, CompactFormatter))
            }
            Self::Spaced | Self::SpacedAscii => {
                let formatter = Spaced { ascii: self == Self::SpacedAscii };
                value.serialize(&mut Serializer::with_formatter(&mut text, formatter))
            }
            Self::Indented => {
                let formatter = PrettyFormatter::with_indent(b" ");
                value.serialize(&mut Serializer::with_formatter(&mut text, formatter))
            }
        }?;
        Ok(String::from_utf8(text)?)
    }
}

/// JSON without blanks, with them; else as it was, numbers to the letter.
pub(super) fn spaced(json: &str) -> String {
    let (mut text, mut in_string, mut is_escaped) = (String::new(), false, false);
    for char in json.chars() {
        text.push(char);
        if in_string {
            in_string = is_escaped || char != '"';
            is_escaped = !is_escaped && char == '\\';
        } else if char == '"' {
            in_string = true;
        } else if char == ',' || char == ':' {
            text.push(' ');
        }
    }
    text
}

struct Spaced {
    ascii: bool,
}

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if !self.ascii {
            return out.write_all(text.as_bytes());
        }
        for char in text.chars() {
            if (' '..='~').contains(&char) {
                write!(out, "{char}")?;
            } else {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        CompactFormatter.write_char_escape(out, escape)
    }
}

#[cfg(test)]
mod tests;
