//! The `Accept` header of a request, judged as Flagr judges it.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderValue};

use crate::error::{Answered, Refusal};
use crate::media_type;

/// Whether the caller takes JSON. Nothing but a weight of 0 rules out what fits, however well something else does.
pub(crate) fn takes_json(headers: &HeaderMap) -> bool {
    let Some(first) = headers.get(header::ACCEPT) else { return true };
    if matches!(first.as_bytes(), b"*/*" | b"application/json") {
        return true;
    }
    let all = headers.get_all(header::ACCEPT).iter();
    let all: Vec<Cow<'_, str>> = all.map(|it| String::from_utf8_lossy(it.as_bytes())).collect();
    let mut is_quoted = false;
    let mut is_escaped = false;
    let comma = |letter: char| {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return letter == ',' && !is_quoted,
        }
        false
    };
    all.join(", ").split(comma).any(is_json)
}

fn is_json(range: &str) -> bool {
    let Ok(range) = media_type::parse(range.trim()) else { return false };
    let fits = matches!((range.kind(), range.subtype()), ("*", _) | ("application", "*" | "json"));
    // What is no number counts as 1.
    let weight = range.parameter("q").and_then(|it| it.parse::<f64>().ok()).unwrap_or(1.0);
    fits && (0.0 < weight || weight.is_nan())
}

/// What is said to a request that needs a body and has none: what it takes is looked at first then.
pub(crate) fn no_body(headers: &HeaderMap) -> Refusal {
    if takes_json(headers) { Refusal::missing_body() } else { Refusal::not_acceptable() }
}

/// What a handler of Flagr's answers to who does not take JSON: the same, and a type without a name.
pub(crate) fn unnamed(answer: Result<Answered, Refusal>) -> Result<Answered, Refusal> {
    let mut answer = match answer {
        Err(refusal) if !refusal.is_of_a_handler() => return Err(refusal),
        answer => answer.unwrap_or_else(Refusal::into_response),
    };
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(""));
    Ok(answer)
}

#[cfg(test)]
mod tests;
