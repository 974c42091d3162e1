//! What is wrong with a flag, in words for its operator.

use std::fmt;

use crate::FlagId;

/// A finding about one flag: where and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// The flag's id, 0 when unknown.
    pub flag_id: FlagId,
    /// The flag's key; empty when it has none.
    pub flag: Box<str>,
    /// Where in the flag: `segments[0].constraints[1]`; empty for the flag itself.
    pub path: Box<str>,
    /// What is wrong there.
    pub message: Box<str>,
}

/// How bad a [`Problem`] is. There will be no further levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth a look; the flag is served.
    Warning,
    /// The flag cannot be served as it is: it is quarantined.
    Error,
}

impl Level {
    /// `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flag `{}`", self.flag)?;
        if self.flag.is_empty() && self.flag_id != FlagId(0) {
            write!(f, " (id {})", self.flag_id)?;
        }
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}
