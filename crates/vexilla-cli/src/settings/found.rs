//! What was given, by setting, and how it becomes values.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::kind::{Kind, Place, REDACTED, Shown};
use super::raw::{Origin, Raw};

/// A setting that cannot be as it was given: where it was given, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", origin.before())]
pub(crate) struct Wrong {
    pub(crate) origin: Origin,
    pub(crate) reason: String,
}

impl Wrong {
    pub(crate) fn new(origin: &Origin, path: &str, reason: impl fmt::Display) -> Self {
        // A variable and a flag name their setting; a file has many.
        let reason = match origin {
            Origin::File { .. } | Origin::Default => format!("{path}: {reason}"),
            Origin::Variable(_) | Origin::Flag(_) => reason.to_string(),
        };
        Self { origin: origin.clone(), reason }
    }
}

/// A value that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// What a setting is in the end, and where that comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) path: String,
    pub(crate) shown: Shown,
    pub(crate) origin: Origin,
}

/// What was given, the strongest of each setting, on its way to values.
#[derive(Debug, Default)]
pub(crate) struct Found {
    given: BTreeMap<String, Given>,
    pub(crate) effective: Vec<Effective>,
    pub(crate) wrong: Option<Wrong>,
}

/// The longest secret, in bytes.
const MOST: u64 = 64 << 10;

impl Found {
    /// Each layer goes before the one that was added before it. A secret and the file that it may be in are one setting.
    pub(crate) fn add(&mut self, layer: BTreeMap<String, Given>) {
        for path in layer.keys() {
            let other = match path.strip_suffix("_file") {
                Some(secret) => secret.to_owned(),
                None => format!("{path}_file"),
            };
            self.given.remove(&other);
        }
        self.given.extend(layer);
    }

    /// The value of a setting. Where it is wrong, the default stands in, and the first error is kept.
    pub(crate) fn take<K: Kind>(&mut self, path: &str, default: K::Value) -> K::Value {
        let read = if K::SECRET { self.secret::<K>(path) } else { self.plain::<K>(path) };
        let (value, origin) = match read {
            Ok(Some((value, origin))) => (value, origin),
            Ok(None) => (default, Origin::Default),
            Err(wrong) => {
                self.wrong.get_or_insert(wrong);
                (default, Origin::Default)
            }
        };
        self.effective.push(Effective { path: path.to_owned(), shown: K::shown(&value), origin });
        if K::SECRET {
            let path = format!("{path}_file");
            let file = self.plain::<Place>(&path).ok().flatten();
            let (shown, origin) = match file {
                Some((file, origin)) => (Place::shown(&file), origin),
                None => (Shown::Unset, Origin::Default),
            };
            self.effective.push(Effective { path, shown, origin });
        }
        value
    }

    fn plain<K: Kind>(&self, path: &str) -> Result<Option<(K::Value, Origin)>, Wrong> {
        let Some(Given { raw, origin }) = self.given.get(path) else { return Ok(None) };
        let value = K::read(raw).map_err(|reason| Wrong::new(origin, path, reason))?;
        Ok(Some((value, origin.clone())))
    }

    /// A secret, as it is or in a file.
    fn secret<K: Kind>(&self, path: &str) -> Result<Option<(K::Value, Origin)>, Wrong> {
        let in_file = format!("{path}_file");
        let Some(Given { origin, .. }) = self.given.get(&in_file) else {
            if let Some(Given { raw: Raw::Text(text) | Raw::String(text), origin }) =
                self.given.get(path)
                && text == REDACTED
            {
                let reason = format!("`{REDACTED}` stands for a secret and is none");
                return Err(Wrong::new(origin, path, reason));
            }
            return self.plain::<K>(path);
        };
        if let Some(other) = self.given.get(path) {
            let reason = format!("the secret is given here, and by {} too", other.origin);
            return Err(Wrong::new(origin, &in_file, reason));
        }
        let Some((file, origin)) = self.plain::<Place>(&in_file)? else { return Ok(None) };
        let wrong = |reason| Wrong::new(&origin, &in_file, reason);
        let text = read_file(&file, MOST).map_err(wrong)?;
        let text = String::from_utf8(text)
            .map_err(|_| wrong(format!("`{}` is not UTF-8", file.display())))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(wrong(format!("`{}` is empty", file.display())));
        }
        let value = K::read(&Raw::String(text.to_owned()));
        let value = value.map_err(|reason| wrong(format!("`{}` {reason}", file.display())))?;
        Ok(Some((value, origin)))
    }
}

/// What a file holds, unless that is more than `most` bytes.
pub(crate) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    content(path, most).map_err(|reason| format!("`{}` cannot be read: {reason}", path.display()))
}

/// The same for who names the file himself.
pub(crate) fn content(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut read = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let taken = file.take(most.saturating_add(1)).read_to_end(&mut read);
    taken.map_err(|error| error.to_string())?;
    if most < u64::try_from(read.len()).unwrap_or(u64::MAX) {
        return Err(format!("it is longer than {most} bytes, the most that is read"));
    }
    Ok(read)
}

/// What each setting is, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origins(BTreeMap<String, Effective>);

impl Origins {
    pub(crate) fn of(effective: &[Effective]) -> Self {
        Self(effective.iter().map(|it| (it.path.clone(), it.clone())).collect())
    }

    pub(crate) fn of_setting(&self, path: &str) -> Origin {
        self.0.get(path).map_or(Origin::Default, |it| it.origin.clone())
    }

    /// What is wrong about the first of these settings that was given; about the first of all where none was.
    pub(crate) fn wrong(&self, paths: &[&str], reason: impl fmt::Display) -> Wrong {
        let is_given = |path: &&&str| self.of_setting(path) != Origin::Default;
        let path = paths.iter().find(is_given).or(paths.first()).copied().unwrap_or_default();
        Wrong::new(&self.of_setting(path), path, reason)
    }

    pub(crate) fn shown(&self, path: &str) -> Option<&Shown> {
        self.0.get(path).map(|it| &it.shown)
    }
}
