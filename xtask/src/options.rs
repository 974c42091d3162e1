//! Options of a command: `--name VALUE` or `--name=VALUE`, and words that stand alone.

use anyhow::{Result, bail, ensure};

/// What a command understands: the names that take a value, and those that stand alone.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) with_value: &'static [&'static str],
    pub(crate) alone: &'static [&'static str],
}

/// What was given, each name at most once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    given: Vec<(String, Option<String>)>,
}

impl Options {
    /// Reads what stands after a command's name.
    pub(crate) fn read(arguments: &[String], known: &Known) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            ensure!(!options.has(name), "`{name}` is given twice");
            let value = if known.with_value.contains(&name) {
                match value.or_else(|| arguments.next().cloned()) {
                    Some(value) if !value.is_empty() => Some(value),
                    _ => bail!("`{name}` needs a value"),
                }
            } else {
                ensure!(known.alone.contains(&name), "`{name}` is not known");
                ensure!(value.is_none(), "`{name}` takes no value");
                None
            };
            options.given.push((name.to_owned(), value));
        }
        Ok(options)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|it| it.0 == name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|it| it.0 == name)?.1.as_deref()
    }
}

#[cfg(test)]
mod tests;
