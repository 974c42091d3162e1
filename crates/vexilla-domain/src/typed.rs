//! The value of an evaluation: one rule for all typed getters.
//!
//! The value is the attachment's member `value` unless absent or null; for booleans only, else the attachment's boolean
//! `enabled`; else the text of the variant's key. Then it must fit the type that was asked for:
//!
//! | type | fits |
//! |---|---|
//! | bool | a JSON bool; a text or number among on, true, enabled, yes, 1 / off, false, disabled, no, 0, in any case |
//! | int | an integer; a float without fraction; decimal text of an integer |
//! | float | a number; decimal text |
//! | string | a text; the text of a number or bool |
//! | json | anything |

use crate::{EvaluationRef, Number, Reason, Value};

/// Why a caller got its default. More codes may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// There is no such flag.
    FlagNotFound,
    /// The variant's value does not fit the type that was asked for.
    TypeMismatch,
    /// The flag is in error and has no good version.
    FlagInError,
    /// Nothing could decide: nothing has been loaded yet, the rules are too old, or only Flagr can and it did not answer.
    NotReady,
}

impl ErrorCode {
    /// The code in OpenFeature's manner: `FLAG_NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::FlagInError => "GENERAL",
            Self::NotReady => "PROVIDER_NOT_READY",
        }
    }
}

/// A value with how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail<T> {
    /// The value: the evaluation's, or the caller's default.
    pub value: T,
    /// The variant's key, if a variant came out.
    pub variant: Option<Box<str>>,
    /// Why the evaluation came out as it did.
    pub reason: Reason,
    /// Why the value is the caller's default, where that is an error. `None` also when there simply is no variant.
    pub error: Option<ErrorCode>,
}

impl EvaluationRef<'_> {
    /// The value as a boolean. `None` without a variant or where it does not fit.
    #[inline]
    pub fn bool(&self) -> Option<bool> {
        let variant = self.variant?;
        let Some(object) = variant.attachment.as_deref().filter(|it| !it.is_empty()) else {
            return bool_word(&variant.key);
        };
        match (object.get("value"), object.get("enabled")) {
            (None | Some(Value::Null), Some(Value::Bool(enabled))) => Some(*enabled),
            (None | Some(Value::Null), _) => bool_word(&variant.key),
            (Some(Value::Bool(value)), _) => Some(*value),
            (Some(Value::String(word)), _) => bool_word(word),
            (Some(Value::Number(number)), _) => match number.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value as an integer. `None` without a variant or where it does not fit.
    pub fn int(&self) -> Option<i64> {
        match self.value()? {
            Raw::Key(text) => text.parse().ok(),
            Raw::Value(Value::Number(number)) => number.as_i64(),
            Raw::Value(Value::String(text)) => text.parse().ok(),
            Raw::Value(_) => None,
        }
    }

    /// The value as a float. `None` without a variant or where it does not fit.
    pub fn float(&self) -> Option<f64> {
        let decimal = |text: &str| Number::from_json_text(text).and_then(|number| number.as_f64());
        match self.value()? {
            Raw::Key(text) => decimal(text),
            Raw::Value(Value::Number(number)) => number.as_f64(),
            Raw::Value(Value::String(text)) => decimal(text),
            Raw::Value(_) => None,
        }
    }

    /// The value as a text. `None` without a variant or where it does not fit.
    pub fn string(&self) -> Option<String> {
        match self.value()? {
            Raw::Key(text) => Some(text.to_owned()),
            Raw::Value(Value::String(text)) => Some(text.clone().into()),
            Raw::Value(Value::Number(number)) => Some(number.to_string()),
            Raw::Value(Value::Bool(value)) => Some(value.to_string()),
            Raw::Value(_) => None,
        }
    }

    /// The value as it is. `None` without a variant.
    pub fn json(&self) -> Option<Value> {
        Some(match self.value()? {
            Raw::Key(text) => Value::from(text),
            Raw::Value(value) => value.clone(),
        })
    }

    /// What a getter of this evaluation gives: `value` where there is one, else `default` and why.
    pub fn detail<T>(&self, value: Option<T>, default: T) -> Detail<T> {
        let error = match (&value, self.reason) {
            (Some(_), _) => None,
            (None, Reason::NotFound | Reason::Filtered) => Some(ErrorCode::FlagNotFound),
            (None, Reason::Error) => Some(ErrorCode::FlagInError),
            (None, Reason::Fallback | Reason::NeedsRemote) => Some(ErrorCode::NotReady),
            (None, _) => self.variant.map(|_| ErrorCode::TypeMismatch),
        };
        Detail {
            value: value.unwrap_or(default),
            variant: self.variant_key().map(Into::into),
            reason: self.reason,
            error,
        }
    }

    fn value(&self) -> Option<Raw<'_>> {
        let variant = self.variant?;
        Some(match variant.attachment.as_deref().and_then(|object| object.get("value")) {
            None | Some(Value::Null) => Raw::Key(&variant.key),
            Some(value) => Raw::Value(value),
        })
    }
}

/// The value before it is asked to fit a type.
enum Raw<'a> {
    Key(&'a str),
    Value(&'a Value),
}

fn bool_word(word: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 10] = [
        ("on", true),
        ("off", false),
        ("true", true),
        ("false", false),
        ("enabled", true),
        ("disabled", false),
        ("yes", true),
        ("no", false),
        ("1", true),
        ("0", false),
    ];
    WORDS.iter().find(|(it, _)| it.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests;
