//! A request's query, read as Go reads it.

use percent_encoding::percent_decode_str;

use crate::error::Refusal;

/// Go reads none of the parameters when there are more than this.
const MAX_PARAMETERS: usize = 10_000;

/// The `name=value` pairs that Go reads: all or none, without those that hold a semicolon or a broken escape.
pub(crate) fn readable(query: &str) -> impl Iterator<Item = &str> {
    let query = if query.split('&').count() > MAX_PARAMETERS { "" } else { query };
    query.split('&').filter(|it| is_readable(it))
}

fn is_readable(parameter: &str) -> bool {
    let is_escape =
        |it: &str| it.as_bytes().get(..2).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
    !parameter.contains(';') && parameter.split('%').skip(1).all(is_escape)
}

/// The payload of a `GET` evaluation, the last parameter `json`.
///
/// # Errors
///
/// Flagr's answer to a query without it, and to one that is longer than `most` bytes.
pub(crate) fn json_payload(query: Option<&str>, most: usize) -> Result<Vec<u8>, Refusal> {
    let query = query.unwrap_or_default();
    let named = readable(query).filter_map(|it| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (unescape(name) == b"json").then_some(value)
    });
    let payload = named.last().map(unescape).unwrap_or_default();
    if payload.is_empty() {
        return Err(Refusal::invalid(602, "json in query is required"));
    }
    if most < query.len() {
        return Err(Refusal::query_too_long(query.len(), most));
    }
    Ok(payload)
}

/// The bytes behind the escapes of a parameter; they need not be text.
fn unescape(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}
