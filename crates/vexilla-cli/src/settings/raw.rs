//! Values as they were written, and where.

use std::fmt;
use std::path::PathBuf;

use toml::de::DeValue;

/// A value as it was written. It may be a secret: it is not printed.
#[derive(Clone)]
pub(crate) enum Raw {
    /// Of a variable or an argument, where everything is text.
    Text(String),
    /// A text of a file.
    String(String),
    /// A whole number of a file.
    Number(String),
    Bool(bool),
    List(Vec<Self>),
    /// What no setting is: a number with a fraction, a date, a table.
    Other(&'static str),
}

impl Raw {
    pub(crate) fn of_file(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::String(text.clone().into_owned()),
            DeValue::Integer(number) if number.radix() == 10 => Self::Number(number.to_string()),
            DeValue::Boolean(value) => Self::Bool(*value),
            DeValue::Array(items) => {
                Self::List(items.iter().map(|it| Self::of_file(it.get_ref())).collect())
            }
            other => Self::Other(other.type_str()),
        }
    }

    /// The text of something that is written as one.
    pub(crate) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) | Self::String(text) => Ok(text),
            other => Err(format!("is {}, not a text", other.called())),
        }
    }

    /// What it is, for an error that must not repeat it.
    pub(crate) fn called(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::String(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other("table") => "a table",
            Self::Other(_) => "another kind of value",
        }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.called())
    }
}

/// Where a value comes from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(String),
}

impl Origin {
    /// What stands in front of an error: where to look, unless nothing was given.
    pub(crate) fn before(&self) -> String {
        match self {
            Self::Default => String::new(),
            given => format!("{given}: "),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}
