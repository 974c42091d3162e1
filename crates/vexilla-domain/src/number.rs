//! Numbers as Flagr sees them: a 64-bit float to compute with, and the text to echo.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A JSON number: what it is worth, and how it was written.
///
/// Flagr keeps the text of a number in a `POST` body and echoes it (`1.50`, `1e400`), while constraints see the 64-bit
/// float that the text stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Number(Repr);

#[derive(Debug, Clone, PartialEq)]
enum Repr {
    /// An integer whose shortest decimal text is the text.
    Integer(i64),
    /// A float that is written the way Go's `encoding/json` writes a float64. INVARIANT: finite, and no integer that
    /// floats hold exactly, so that equal numbers are equal.
    Float(f64),
    /// A float64 that Go decoded without keeping its text. INVARIANT: finite.
    Decoded(f64),
    /// Any other text. INVARIANT: a JSON number; the float is its value, infinite when out of range.
    Text(Box<(Box<str>, f64)>),
}

impl Number {
    /// The number that a float stands for; `None` for NaN and the infinities, which JSON cannot write.
    pub fn from_f64(value: f64) -> Option<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        match whole(value) {
            Some(integer)
                if value.abs() <= EXACT && !(integer == 0 && value.is_sign_negative()) =>
            {
                Some(Self(Repr::Integer(integer)))
            }
            _ => value.is_finite().then_some(Self(Repr::Float(value))),
        }
    }

    /// The number as Go decodes it where it does not keep the text, as in a `GET` request: debug logs show such a number
    /// otherwise. `None` when it is out of a float's range.
    pub fn decoded(&self) -> Option<Self> {
        self.as_f64().map(|it| Self(Repr::Decoded(it)))
    }

    /// The float, if the number is one that was [`decoded`](Self::decoded).
    pub fn as_decoded(&self) -> Option<f64> {
        match self.0 {
            Repr::Decoded(value) => Some(value),
            Repr::Integer(_) | Repr::Float(_) | Repr::Text(_) => None,
        }
    }

    /// The number with this JSON text, which it keeps. `None` when the text is not a JSON number.
    pub fn from_json_text(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse::<i64>() {
            let plain = !text.starts_with(['+', '0']) && !text.starts_with("-0");
            if plain || text == "0" {
                return Some(Self(Repr::Integer(integer)));
            }
        }
        is_json_number(text).then(|| {
            let value = text.parse().unwrap_or(f64::INFINITY);
            Self(Repr::Text(Box::new((text.into(), value))))
        })
    }

    /// What a constraint compares with; `None` when the text is out of a float's range, as `1e400` is.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "Flagr computes with float64")]
            Repr::Integer(value) => Some(*value as f64),
            Repr::Float(value) | Repr::Decoded(value) => Some(*value),
            Repr::Text(text) => text.1.is_finite().then_some(text.1),
        }
    }

    /// The number as an integer, if it is one that fits: `18` and `18.0` are, `18.5` and `1e30` are not.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Integer(value) => Some(*value),
            Repr::Float(value) | Repr::Decoded(value) => whole(*value),
            Repr::Text(text) => text.0.parse().ok().or_else(|| whole(text.1)),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Integer(value))
    }
}

/// By value and text, so that equal numbers hash alike.
impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Integer(value) => value.hash(state),
            Repr::Float(value) | Repr::Decoded(value) => (value + 0.0).to_bits().hash(state), // -0.0 equals 0.0
            Repr::Text(text) => text.0.hash(state),
        }
    }
}

/// The number's JSON text.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(value) => value.fmt(f),
            Repr::Float(value) | Repr::Decoded(value) => write_go_float(f, *value),
            Repr::Text(text) => f.write_str(&text.0),
        }
    }
}

/// The float as an integer, if it has no fraction and an `i64` holds it.
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
    #[expect(clippy::cast_possible_truncation, reason = "in range and whole, as just checked")]
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(value as i64)
}

/// Writes a float64 as Go's `encoding/json` does: shortest digits, exponents only below 1e-6 and from 1e21 on.
fn write_go_float(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return write!(f, "{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => write!(f, "{digits}e+{exponent}"),
        _ => f.write_str(&text),
    }
}

/// Whether the text is a number by JSON's grammar.
fn is_json_number(text: &str) -> bool {
    let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

#[cfg(test)]
mod tests;
