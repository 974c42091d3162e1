//! The kinds of settings: how each is read, printed and described.

mod number;
mod secret;
mod words;

use std::fmt::Debug;
use std::marker::PhantomData;

use vexilla::Secret;

pub(crate) use self::number::{Count, MaybeNoTime, Size, Time};
pub(crate) use self::secret::{Demanded, Hidden, SecretHeader};
pub(crate) use self::words::{Address, As, Content, Named, OneOf, Place, Text, Words, Written};
use super::raw::Raw;

/// What is printed for a secret, and is therefore none.
pub(crate) const REDACTED: &str = "[redacted]";

/// A kind of setting.
pub(crate) trait Kind {
    type Value: Clone + Debug;

    /// Whether it may be given as a file too, and is never printed.
    const SECRET: bool = false;
    /// Whether its flag stands for `true` without a value.
    const SWITCH: bool = false;
    /// Whether an empty variable is a value, and not as good as none.
    const KEEPS_EMPTY: bool = false;

    /// What it is, for the reference.
    fn shape() -> String;
    /// Reads it. A reason that is given reads well behind the setting's name.
    fn read(raw: &Raw) -> Result<Self::Value, String>;
    /// As it is printed.
    fn shown(value: &Self::Value) -> Shown;
}

/// A setting as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// There is none.
    Unset,
    /// A value of TOML.
    Toml(String),
    /// The path of a file, as a value of TOML, and what tells whether the file still holds the same.
    File { path: String, holds: u64 },
    /// There is one, and it is not printed.
    Hidden(Secret),
}

impl Shown {
    fn text(text: impl Into<String>) -> Self {
        Self::Toml(toml::Value::String(text.into()).to_string())
    }
}

/// The value as far as an error repeats it.
fn quoted(text: &str) -> String {
    let beginning: String = text.chars().take(80).collect();
    let more = if beginning.len() < text.len() { "…" } else { "" };
    format!("`{beginning}{more}`")
}

/// On or off.
pub(crate) struct Switch;

impl Kind for Switch {
    type Value = bool;
    const SWITCH: bool = true;

    fn shape() -> String {
        "`true` or `false`".to_owned()
    }

    fn read(raw: &Raw) -> Result<bool, String> {
        match raw {
            Raw::Bool(value) => Ok(*value),
            Raw::Text(text) => match text.as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                other => Err(format!("{} is neither `true` nor `false`", quoted(other))),
            },
            other => Err(format!("is {}, neither `true` nor `false`", other.called())),
        }
    }

    fn shown(value: &bool) -> Shown {
        Shown::Toml(value.to_string())
    }
}

/// A setting that need not be there. Empty stands for none.
pub(crate) struct Maybe<K>(PhantomData<K>);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;

    fn shape() -> String {
        K::shape()
    }

    fn read(raw: &Raw) -> Result<Self::Value, String> {
        match raw {
            Raw::Text(text) | Raw::String(text) if text.is_empty() => Ok(None),
            raw => K::read(raw).map(Some),
        }
    }

    fn shown(value: &Self::Value) -> Shown {
        value.as_ref().map_or(Shown::Unset, K::shown)
    }
}

/// A setting that may be `off`.
pub(crate) struct OrOff<K>(PhantomData<K>);

impl<K: Kind> Kind for OrOff<K> {
    type Value = Option<K::Value>;

    fn shape() -> String {
        format!("{}, or `off`", K::shape())
    }

    fn read(raw: &Raw) -> Result<Self::Value, String> {
        match raw {
            Raw::Text(text) | Raw::String(text) if text == "off" => Ok(None),
            raw => K::read(raw).map(Some),
        }
    }

    fn shown(value: &Self::Value) -> Shown {
        value.as_ref().map_or_else(|| Shown::text("off"), K::shown)
    }
}
