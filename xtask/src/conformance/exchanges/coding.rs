//! How a text that is long or no text is kept, and how one is put into a query.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what never means anything else.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn repeated(runs: &[(String, usize)]) -> String {
    runs.iter().map(|(text, times)| text.repeat(*times)).collect()
}

/// A text in runs: where one of these pieces comes 100 times and more it is told once, the rest is kept as it is.
pub(super) fn runs(text: &str, pieces: &[&str]) -> Vec<(String, usize)> {
    const OFTEN: usize = 100;
    let (mut runs, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(first) = rest.chars().next() {
        let repeated = pieces.iter().find_map(|piece| {
            let after = rest.trim_start_matches(piece);
            let times = (rest.len() - after.len()).checked_div(piece.len())?;
            (OFTEN <= times).then_some((*piece, times, after))
        });
        match repeated {
            Some((piece, times, after)) => {
                if !plain.is_empty() {
                    runs.push((std::mem::take(&mut plain), 1));
                }
                runs.push((piece.to_owned(), times));
                rest = after;
            }
            None => {
                plain.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    if !plain.is_empty() {
        runs.push((plain, 1));
    }
    runs
}

pub(super) fn unbase64(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).with_context(|| format!("no base64: {text}"))
}

/// As a value of a query: whatever could mean something else there is escaped.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}
