//! The kinds of settings: how each is read, printed and described.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use vexilla::Secret;

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

/// A text.
pub(crate) struct Text;

impl Kind for Text {
    type Value = String;

    fn shape() -> String {
        "text".to_owned()
    }

    fn read(raw: &Raw) -> Result<String, String> {
        raw.text().map(str::to_owned)
    }

    fn shown(value: &String) -> Shown {
        Shown::text(value)
    }
}

/// An address that might hold a password, by mistake or on purpose; then it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    fn is_private(&self) -> bool {
        self.0.contains(['@', '?', '#'])
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_private() { REDACTED } else { &self.0 })
    }
}

impl Kind for Address {
    type Value = Self;

    fn shape() -> String {
        "URL".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        raw.text().map(|it| Self(it.to_owned()))
    }

    fn shown(value: &Self) -> Shown {
        match value.is_private() {
            true => Shown::Hidden(Secret::new(&*value.0)),
            false => Shown::text(&*value.0),
        }
    }
}

/// The path of a file or a folder.
pub(crate) struct Place;

impl Kind for Place {
    type Value = PathBuf;

    fn shape() -> String {
        "path".to_owned()
    }

    fn read(raw: &Raw) -> Result<PathBuf, String> {
        raw.text().map(PathBuf::from)
    }

    fn shown(value: &PathBuf) -> Shown {
        Shown::text(value.to_string_lossy())
    }
}

/// A secret. Empty stands for none.
pub(crate) struct Hidden;

impl Kind for Hidden {
    type Value = Option<Secret>;
    const SECRET: bool = true;

    fn shape() -> String {
        "secret text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Option<Secret>, String> {
        Ok(Some(Secret::new(raw.text()?)).filter(|it| !it.is_empty()))
    }

    fn shown(value: &Option<Secret>) -> Shown {
        value.clone().map_or(Shown::Unset, Shown::Hidden)
    }
}

/// A secret that others have to know. An empty one is refused: who meant to set one would go without.
pub(crate) struct Demanded;

impl Kind for Demanded {
    type Value = Option<Secret>;
    const SECRET: bool = true;
    const KEEPS_EMPTY: bool = true;

    fn shape() -> String {
        Hidden::shape()
    }

    fn read(raw: &Raw) -> Result<Option<Secret>, String> {
        match Hidden::read(raw)? {
            None => Err("is empty".to_owned()),
            secret => Ok(secret),
        }
    }

    fn shown(value: &Option<Secret>) -> Shown {
        Hidden::shown(value)
    }
}

/// A header with a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretHeader {
    pub(crate) name: String,
    pub(crate) value: Secret,
}

impl Kind for SecretHeader {
    type Value = Option<Self>;
    const SECRET: bool = true;
    const KEEPS_EMPTY: bool = true;

    fn shape() -> String {
        "secret text `Name: value`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Option<Self>, String> {
        match raw.text()?.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Some(Self { name: name.trim().to_owned(), value: Secret::new(value.trim()) }))
            }
            _ => Err("is not of the form `Name: value`".to_owned()),
        }
    }

    fn shown(value: &Option<Self>) -> Shown {
        let line = |it: &Self| Secret::new(format!("{}: {}", it.name, it.value.reveal()));
        value.as_ref().map_or(Shown::Unset, |it| Shown::Hidden(line(it)))
    }
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

/// A time that is longer than nothing.
pub(crate) struct Time;

impl Kind for Time {
    type Value = Duration;

    fn shape() -> String {
        "duration, as `30s`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Duration, String> {
        match MaybeNoTime::read(raw)? {
            Duration::ZERO => Err(format!("{} must be longer than zero", quoted(raw.text()?))),
            time => Ok(time),
        }
    }

    fn shown(value: &Duration) -> Shown {
        MaybeNoTime::shown(value)
    }
}

/// A time, which may be zero.
pub(crate) struct MaybeNoTime;

impl Kind for MaybeNoTime {
    type Value = Duration;

    fn shape() -> String {
        "duration, as `30s`, or `0s`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Duration, String> {
        if let Raw::Number(_) = raw {
            return Err("is a number without a unit: write `30s` or `5m`".to_owned());
        }
        let text = raw.text()?;
        humantime::parse_duration(text)
            .map_err(|error| format!("{} is no duration as `30s`: {error}", quoted(text)))
    }

    fn shown(value: &Duration) -> Shown {
        Shown::text(humantime::format_duration(*value).to_string())
    }
}

/// A number of bytes, from 1.
pub(crate) struct Size<T>(PhantomData<T>);

impl<T: Copy + Debug + TryFrom<u64> + TryInto<u64>> Kind for Size<T> {
    type Value = T;

    fn shape() -> String {
        "size, as `64MiB`".to_owned()
    }

    fn read(raw: &Raw) -> Result<T, String> {
        let text = match raw {
            Raw::Number(text) => text,
            other => other.text()?,
        };
        let size = ByteSize::from_str(text)
            .map_err(|_| format!("{} is no size as `64MiB`", quoted(text)))?;
        match T::try_from(size.as_u64()) {
            Ok(_) if size.as_u64() == 0 => Err("`0` leaves no room".to_owned()),
            Ok(value) => Ok(value),
            Err(_) => Err(format!("{} is too much", quoted(text))),
        }
    }

    fn shown(value: &T) -> Shown {
        let Ok(bytes) = (*value).try_into() else { return Shown::Unset };
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units.into_iter().find(|(unit, _)| 0 < bytes && bytes % unit == 0);
        match whole {
            Some((unit, name)) => Shown::text(format!("{}{name}", bytes / unit)),
            None => Shown::Toml(bytes.to_string()),
        }
    }
}

/// A number from `LEAST` on.
pub(crate) struct Count<T, const LEAST: u64 = 0>(PhantomData<T>);

impl<T: Copy + Debug + TryFrom<u64> + TryInto<u64>, const LEAST: u64> Kind for Count<T, LEAST> {
    type Value = T;

    fn shape() -> String {
        format!("number, from {LEAST}")
    }

    fn read(raw: &Raw) -> Result<T, String> {
        let text = match raw {
            Raw::Number(text) => text,
            other => other.text()?,
        };
        let number = text.parse::<u64>().ok().filter(|it| LEAST <= *it);
        let number = number.ok_or_else(|| format!("{} is no number from {LEAST}", quoted(text)))?;
        T::try_from(number).map_err(|_| format!("{} is too much", quoted(text)))
    }

    fn shown(value: &T) -> Shown {
        (*value).try_into().map_or(Shown::Unset, |it: u64| Shown::Toml(it.to_string()))
    }
}

/// Several texts.
pub(crate) struct Words;

impl Kind for Words {
    type Value = Vec<String>;

    fn shape() -> String {
        "list of texts".to_owned()
    }

    fn read(raw: &Raw) -> Result<Vec<String>, String> {
        match raw {
            Raw::List(items) => items.iter().map(|it| it.text().map(str::to_owned)).collect(),
            Raw::Text(text) if text.trim_start().starts_with('[') => {
                let value = toml::de::DeValue::parse(text);
                let value = value.map_err(|_| "is no list as `[\"a\", \"b\"]`".to_owned())?;
                Self::read(&Raw::of_file(value.get_ref()))
            }
            Raw::Text(text) => {
                Ok(text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned))
                    .map(Iterator::collect)
            }
            other => Err(format!("is {}, not a list of texts", other.called())),
        }
    }

    fn shown(value: &Vec<String>) -> Shown {
        let items = value.iter().cloned().map(toml::Value::String).collect();
        Shown::Toml(toml::Value::Array(items).to_string())
    }
}

/// What reads and prints itself.
pub(crate) trait Written: FromStr<Err: Display> + Display + Clone + Debug {
    const SHAPE: &'static str;
}

/// A value that reads and prints itself.
pub(crate) struct As<T>(PhantomData<T>);

impl<T: Written> Kind for As<T> {
    type Value = T;

    fn shape() -> String {
        T::SHAPE.to_owned()
    }

    fn read(raw: &Raw) -> Result<T, String> {
        raw.text()?.parse::<T>().map_err(|error| error.to_string())
    }

    fn shown(value: &T) -> Shown {
        Shown::text(value.to_string())
    }
}

/// One of a few.
pub(crate) trait Named: Copy + PartialEq + Debug + 'static {
    const NAMES: &'static [(&'static str, Self)];
}

/// One of a few, by its name.
pub(crate) struct OneOf<T>(PhantomData<T>);

impl<T: Named> Kind for OneOf<T> {
    type Value = T;

    fn shape() -> String {
        let names: Vec<_> = T::NAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
        names.join(" or ")
    }

    fn read(raw: &Raw) -> Result<T, String> {
        let text = raw.text()?;
        let found = T::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| format!("{} is none of {}", quoted(text), Self::shape()))
    }

    fn shown(value: &T) -> Shown {
        let found = T::NAMES.iter().find(|(_, it)| it == value);
        found.map_or(Shown::Unset, |(name, _)| Shown::text(*name))
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
