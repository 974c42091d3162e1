//! Text that is not quite JSON's, made so the way Go does it.

use std::borrow::Cow;

/// Makes text of bytes: each byte that is not part of valid UTF-8, and each escaped lone surrogate, becomes U+FFFD.
///
/// Go's `encoding/json` does this inside strings; elsewhere either is a syntax error before and after. Escapes are only
/// looked at as text, which is right for anything that is JSON, where backslashes stand in strings only.
pub fn repair(bytes: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(replace_invalid(bytes)),
    };
    match lone_surrogates(&text) {
        found if found.is_empty() => text,
        found => Cow::Owned(replace_escapes(&text, &found)),
    }
}

fn replace_invalid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER)); // Go replaces byte by byte
    }
    text
}

/// Where the escapes `\ud800` to `\udfff` stand that form no pair.
fn lone_surrogates(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += step;
        match surrogate_at(text, at) {
            Some(0xD800..=0xDBFF)
                if matches!(surrogate_at(text, at + 6), Some(0xDC00..=0xDFFF)) =>
            {
                at += 12;
            }
            Some(_) => {
                found.push(at);
                at += 6;
            }
            // Past the backslash and what it escapes; of a longer character nothing is a backslash.
            None => {
                at += 1 + text
                    .get(at + 1..)
                    .and_then(|it| it.chars().next())
                    .map_or(0, char::len_utf8);
            }
        }
    }
    found
}

/// The surrogate that the six bytes from here spell, if they are `\u` and one.
fn surrogate_at(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    u32::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..=0xDFFF).contains(unit))
}

fn replace_escapes(text: &str, found: &[usize]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for &at in found {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str("\\ufffd");
        from = at + 6;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
