//! Kinds that are written as texts.

use std::fmt::{self, Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

use vexilla::Secret;

use super::super::found::read_file;
use super::{Kind, REDACTED, Raw, Shown, quoted};

/// The longest file of certificates, in bytes.
const MOST: u64 = 1 << 20;

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
        if value.is_private() {
            Shown::Hidden(Secret::new(&*value.0))
        } else {
            Shown::text(&*value.0)
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
        let text = raw.text()?;
        if text.contains(['\n', '\r']) {
            return Err("holds a line break, which a path cannot have here".to_owned());
        }
        Ok(PathBuf::from(text))
    }

    fn shown(value: &PathBuf) -> Shown {
        Shown::text(value.to_string_lossy())
    }
}

/// A file that is read with the settings: certificates, or a key.
#[derive(Clone)]
pub(crate) struct Content {
    path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.path, f)
    }
}

impl Kind for Content {
    type Value = Self;

    fn shape() -> String {
        "path of a file".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let path = Place::read(raw)?;
        read_file(&path, MOST).map(|bytes| Self { path, bytes })
    }

    fn shown(value: &Self) -> Shown {
        let path = toml::Value::String(value.path.to_string_lossy().into_owned()).to_string();
        let mut hasher = DefaultHasher::new();
        value.bytes.hash(&mut hasher);
        Shown::File { path, holds: hasher.finish() }
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
                let words = text.split(',').map(str::trim).filter(|it| !it.is_empty());
                Ok(words.map(str::to_owned).collect())
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
