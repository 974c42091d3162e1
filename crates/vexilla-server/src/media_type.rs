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
    let malformed = |reason: &str| Refusal::malformed_media_type(&quote(header), reason);
    let (base, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
    let base = base.to_lowercase();
    let media_type = base.trim();

    let (kind, subtype) =
        parse_base(media_type).map_err(|reason| malformed(&format!("mime: {reason}")))?;
    check_parameters(parameters).map_err(|reason| malformed(&format!("mime: {reason}")))?;
    let Some(subtype) = subtype else {
        let value = quote(media_type.as_bytes());
        return Err(Refusal::malformed_media_type(
            &value,
            &format!("mediatype: malformed: {value} has no subtype"),
        ));
    };
    match (kind, subtype) {
        ("application", "json") => Ok(()),
        ("*", _) | ("application", "*") => Err(Refusal::unreadable_media_type(media_type)),
        _ => Err(Refusal::unsupported_media_type(media_type)),
    }
}

fn parse_base(media_type: &str) -> Result<(&str, Option<&str>), &'static str> {
    let (kind, rest) = token(media_type);
    if kind.is_empty() {
        return Err("no media type");
    }
    if rest.is_empty() {
        return Ok((kind, None));
    }
    let rest = rest.strip_prefix('/').ok_or("expected slash after first token")?;
    let (subtype, rest) = token(rest);
    match (subtype, rest) {
        ("", _) => Err("expected token after slash"),
        (_, "") => Ok((kind, Some(subtype))),
        _ => Err("unexpected content after media subtype"),
    }
}

/// Checks `; name=value` as often as it comes; one semicolon may end it.
fn check_parameters(mut rest: &str) -> Result<(), &'static str> {
    let mut seen: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.trim() == ";" {
            return Ok(());
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
