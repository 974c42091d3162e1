//! The `Content-Type` of a request, judged as Flagr judges it.

use std::fmt::Write;

use crate::error::Refusal;

/// Flagr takes a body without a type for this.
const DEFAULT: &str = "application/octet-stream";

/// Whether a body of this type is read as JSON.
///
/// # Errors
///
/// Flagr's 400 for a header that cannot be parsed, its 415 for another type, its 500 for a pattern such as `*/*`.
pub(crate) fn check(header: Option<&[u8]>) -> Result<(), Refusal> {
    let header = header.unwrap_or_default();
    if header == b"application/json" {
        return Ok(());
    }
    let text = if header.is_empty() { DEFAULT.into() } else { String::from_utf8_lossy(header) };
    let read = parse(&text).map_err(|malformed| match malformed {
        Malformed::NotParsed(reason) => {
            Refusal::malformed_media_type(&quote(header), &format!("mime: {reason}"))
        }
        Malformed::NoSubtype(kind) => {
            let value = quote(kind.as_bytes());
            let reason = format!("mediatype: malformed: {value} has no subtype");
            Refusal::malformed_media_type(&value, &reason)
        }
    })?;
    match (read.kind(), read.subtype()) {
        ("application", "json") => Ok(()),
        ("*", _) | ("application", "*") => Err(Refusal::unreadable_media_type(&read.name)),
        _ => Err(Refusal::unsupported_media_type(&read.name)),
    }
}

/// A media type, or a range of them.
#[derive(Debug)]
pub(crate) struct MediaType {
    /// In lower case.
    name: String,
    slash: usize,
    parameters: Vec<(String, String)>,
}

/// Why a text is no media type.
#[derive(Debug)]
pub(crate) enum Malformed {
    NotParsed(&'static str),
    /// It is this alone.
    NoSubtype(String),
}

impl MediaType {
    pub(crate) fn kind(&self) -> &str {
        self.name.get(..self.slash).unwrap_or_default()
    }

    pub(crate) fn subtype(&self) -> &str {
        self.name.get(self.slash + 1..).unwrap_or_default()
    }

    /// The value of a parameter; its name is in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a media type as Go does.
pub(crate) fn parse(text: &str) -> Result<MediaType, Malformed> {
    let (base, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
    let name = base.to_lowercase().trim().to_owned();
    let slash = parse_base(&name).map_err(Malformed::NotParsed)?;
    let parameters = parse_parameters(parameters).map_err(Malformed::NotParsed)?;
    match slash {
        Some(slash) => Ok(MediaType { name, slash, parameters }),
        None => Err(Malformed::NoSubtype(name)),
    }
}

/// Where the slash is, if there is one.
fn parse_base(media_type: &str) -> Result<Option<usize>, &'static str> {
    let (kind, rest) = token(media_type);
    if kind.is_empty() {
        return Err("no media type");
    }
    if rest.is_empty() {
        return Ok(None);
    }
    let rest = rest.strip_prefix('/').ok_or("expected slash after first token")?;
    let (subtype, rest) = token(rest);
    match (subtype, rest) {
        ("", _) => Err("expected token after slash"),
        (_, "") => Ok(Some(kind.len())),
        _ => Err("unexpected content after media subtype"),
    }
}

/// Reads `; name=value` as often as it comes; one semicolon may end it.
fn parse_parameters(mut rest: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut seen: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.trim() == ";" {
            return Ok(seen);
        }
        let (name, value, behind) = parameter(rest).ok_or("invalid media parameter")?;
        match seen.iter().find(|(it, _)| *it == name) {
            Some((_, before)) if *before != value => return Err("duplicate parameter name"),
            Some(_) => {}
            None => seen.push((name, value)),
        }
        rest = behind;
    }
}

fn parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = token(text.strip_prefix(';')?.trim_start());
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    if name.is_empty() {
        return None;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, rest) = token(rest);
        return (!value.is_empty()).then(|| (name.to_lowercase(), value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                return Some((
                    name.to_lowercase(),
                    value,
                    quoted.get(at + 1..).unwrap_or_default(),
                ));
            }
            '\\' => value.push(letters.next()?.1),
            '\r' | '\n' => return None,
            other => value.push(other),
        }
    }
    None
}

/// The token that the text starts with, and the rest.
fn token(text: &str) -> (&str, &str) {
    let is_part = |it: char| it.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(it);
    text.split_at(text.find(|it| !is_part(it)).unwrap_or(text.len()))
}

/// The bytes in quotes, as Go's `%q` prints them.
fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '\t' => out.push_str("\\t"),
                other if other.is_control() => out.extend(other.escape_unicode()),
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            let written = write!(out, "\\x{byte:02x}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    out.push('"');
    out
}
