//! How a text that is long or no text is kept, and how one is put into a query.

use anyhow::{Result, bail};

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
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Ok(byte - b'A'),
        b'a'..=b'z' => Ok(byte - b'a' + 26),
        b'0'..=b'9' => Ok(byte - b'0' + 52),
        b'+' => Ok(62),
        b'/' => Ok(63),
        _ => bail!("no base64: {text}"),
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(digit(byte)?);
        count += 6;
        if 8 <= count {
            count -= 8;
            bytes.extend((bits >> count).to_le_bytes().first());
        }
    }
    Ok(bytes)
}

/// As a value of a query: whatever could mean something else there is escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(["%", &format!("{byte:02X}")]);
        }
    }
    escaped
}
