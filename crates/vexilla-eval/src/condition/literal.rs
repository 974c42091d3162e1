//! Decodes numbers, strings and arrays as Go does, once the grammar has found them.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use super::{error::quoted, expr::Expr};

/// A number without sign. Go knows decimal and hexadecimal ones and lets `_` separate digits.
pub(super) fn number(token: &str) -> Result<f64, String> {
    // A `_` that may not stand where it stands stays, and then nothing below reads the text.
    let text = if separates_digits(token) { token.replace('_', "") } else { token.to_owned() };
    let value = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits),
        None => text.parse().ok(),
    };
    match value {
        None => Err(format!("{} is not a number that Flagr reads", quoted(token))),
        Some(value) if !value.is_finite() => {
            Err(format!("the number {} is too large", quoted(token)))
        }
        Some(value) => Ok(value),
    }
}

/// Whether each `_` stands between two digits; a base prefix counts as one.
fn separates_digits(token: &str) -> bool {
    let hex = token.starts_with("0x") || token.starts_with("0X");
    let is_digit = |it: &u8| if hex { it.is_ascii_hexdigit() } else { it.is_ascii_digit() };
    let bytes = token.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).and_then(|it| bytes.get(it));
        before.is_some_and(|it| is_digit(it) || (hex && at == 2))
            && bytes.get(at + 1).is_some_and(is_digit)
    })
}

/// `h.hhhp±d`, a hexadecimal number times a power of two, rounded to the nearest `f64`, to the even one of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = decimal_exponent(exponent)?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The first 16 digits that count fill the 64 bits; of the others it matters only whether any is not zero.
    let mut mantissa: u64 = 0;
    let mut power = exponent.checked_sub(4 * i64::try_from(fraction.len()).ok()?)?;
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16)?);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= u64::from(digit != 0);
            power += 4;
        }
    }
    if mantissa == 0 {
        return Some(0.0);
    }
    // The value is mantissa * 2^power. Drop the bits that an f64 has no room for.
    let top = power + i64::from(mantissa.ilog2());
    if top > 1023 {
        return Some(f64::INFINITY);
    }
    let lowest = (top - 52).max(-1074);
    let (kept, power) = match u32::try_from(lowest - power) {
        Err(_) | Ok(0) => (mantissa, power),
        Ok(dropped) if dropped > 64 => return Some(0.0),
        Ok(dropped) => {
            let wide = u128::from(mantissa);
            let (kept, rest, half) =
                (wide >> dropped, wide & ((1 << dropped) - 1), 1 << (dropped - 1));
            let up = rest > half || (rest == half && kept & 1 == 1);
            (u64::try_from(kept).ok()? + u64::from(up), lowest)
        }
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "at most 53 bits are kept, or 2^53 after rounding up"
    )]
    Some(kept as f64 * power_of_two(power)?)
}

/// A sign and decimal digits. Far outside an `f64`'s range the exact number no longer matters, nor does Go keep it.
fn decimal_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let value = digits
        .bytes()
        .fold(0, |sum, it| if sum < 10_000 { sum * 10 + i64::from(it - b'0') } else { sum });
    Some(if text.starts_with('-') { -value } else { value })
}

/// 2 to the power of -1074 to 1023, which is exact.
fn power_of_two(power: i64) -> Option<f64> {
    let bits = match power {
        -1022..=1023 => u64::try_from(power + 1023).ok()? << 52,
        _ => 1 << u32::try_from(power + 1074).ok()?,
    };
    Some(f64::from_bits(bits))
}

/// A string token: with escapes if all of them are valid, otherwise everything but the first and last byte as it is.
pub(super) fn string(token: &str) -> Result<Box<[u8]>, String> {
    match token.as_bytes() {
        [b'"', content @ .., last] => {
            let unescaped = if *last == b'"' { unescape(content) } else { None };
            Ok(unescaped.unwrap_or_else(|| content.to_vec()).into())
        }
        _ => Err("the string is not closed".into()),
    }
}

/// Go's escapes of an interpreted string. `None` if any is invalid, or if the closing quote was an escaped one.
fn unescape(content: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.iter().position(|it| *it == b'\\') {
        let (plain, escape) = rest.split_at_checked(at)?;
        text.extend_from_slice(plain);
        rest = match escape {
            [_, simple, rest @ ..] if simple_escape(*simple).is_some() => {
                text.extend(simple_escape(*simple));
                rest
            }
            [_, b'0'..=b'7', ..] => {
                let (byte, rest) = escaped_number(escape.get(1..)?, 3, 8)?;
                text.push(u8::try_from(byte).ok()?);
                rest
            }
            [_, b'x', rest @ ..] => {
                let (byte, rest) = escaped_number(rest, 2, 16)?;
                text.push(u8::try_from(byte).ok()?);
                rest
            }
            [_, kind @ (b'u' | b'U'), rest @ ..] => {
                let (code, rest) = escaped_number(rest, if *kind == b'u' { 4 } else { 8 }, 16)?;
                text.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            _ => return None,
        };
    }
    text.extend_from_slice(rest);
    Some(text)
}

fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' | b'"' => letter,
        _ => return None,
    })
}

/// Exactly `count` digits, and what follows them.
fn escaped_number(text: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let mut value: u32 = 0;
    for digit in digits {
        value = value.checked_mul(radix)? + char::from(*digit).to_digit(radix)?;
    }
    Some((value, rest))
}

/// The inside of an array: JSON numbers or JSON strings, never both.
pub(super) fn array(inside: &str) -> Result<Expr, String> {
    let json = format!("[{inside}]");
    let elements: Vec<&RawValue> = serde_json::from_str(&json)
        .map_err(|_| format!("{} is not a JSON array", quoted(&json)))?;
    let wrong = |element: &str, first: &str| {
        format!(
            "an array holds texts only or numbers only, and {} does not go with {}",
            quoted(element),
            quoted(first)
        )
    };
    let Some(first) = elements.first().map(|it| it.get()) else {
        return Err("an array needs at least one element".into());
    };
    let decode_number = |element: &str| match element.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("the number {} is too large", quoted(element))),
        Err(_) => Err(wrong(element, first)),
    };
    let mut elements = elements.iter().map(|it| it.get());
    match first.as_bytes() {
        [b'"', ..] => elements
            .map(|it| json_string(it).ok_or_else(|| wrong(it, first)))
            .collect::<Result<_, _>>()
            .map(Expr::Strings),
        [b'-' | b'0'..=b'9', ..] => {
            elements.map(decode_number).collect::<Result<_, _>>().map(Expr::Numbers)
        }
        _ => Err(format!(
            "an array holds texts or numbers, not {}",
            quoted(elements.next().unwrap_or_default())
        )),
    }
}

/// A JSON string; `None` for any other JSON.
fn json_string(json: &str) -> Option<Box<[u8]>> {
    serde_json::Deserializer::from_str(json).deserialize_bytes(LoneSurrogates).ok()
}

/// Takes a string that may hold half of a surrogate pair, and puts U+FFFD in its place, as Go does.
struct LoneSurrogates;

impl Visitor<'_> for LoneSurrogates {
    type Value = Box<[u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        let mut text = bytes.to_vec();
        // Half of a pair arrives in the three bytes that UTF-8 would give its number, did UTF-8 allow it.
        for at in 0..text.len() {
            if let Some(code @ [0xed, 0xa0..=0xbf, _]) = text.get_mut(at..at + 3) {
                code.copy_from_slice("\u{fffd}".as_bytes());
            }
        }
        Ok(text.into())
    }
}
