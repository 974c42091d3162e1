//! The configuration file.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::found::{Given, Wrong, read_file};
use super::names::Names;
use super::raw::{Origin, Raw};

/// The longest file, in bytes.
const MOST: u64 = 1 << 20;

/// What a file sets.
pub(crate) fn read(
    path: &Path,
    named_by: &Origin,
    names: &Names,
) -> Result<BTreeMap<String, Given>, Wrong> {
    let wrong = |reason| Wrong { origin: named_by.clone(), reason };
    // Errors and `--print-config` name it on a line.
    if path.to_string_lossy().contains(['\n', '\r']) {
        return Err(wrong("the name of the configuration file holds a line break".to_owned()));
    }
    let text = read_file(path, MOST).map_err(wrong)?;
    let text =
        String::from_utf8(text).map_err(|_| wrong(format!("`{}` is not UTF-8", path.display())))?;
    parse(path, &text, names)
}

/// What this text of a file sets.
pub(crate) fn parse(
    path: &Path,
    text: &str,
    names: &Names,
) -> Result<BTreeMap<String, Given>, Wrong> {
    let place = Place { path, text };
    // The error's own text shows the line, which may hold a secret.
    let table = DeTable::parse(text)
        .map_err(|error| place.wrong(error.span().map_or(0, |it| it.start), error.message()))?;
    let mut given = BTreeMap::new();
    walk(table.get_ref(), "", &place, names, &mut given)?;
    Ok(given)
}

fn walk(
    table: &DeTable<'_>,
    part: &str,
    place: &Place<'_>,
    names: &Names,
    given: &mut BTreeMap<String, Given>,
) -> Result<(), Wrong> {
    for (key, value) in table {
        let path = match part {
            "" => key.get_ref().to_string(),
            part => format!("{part}.{}", key.get_ref()),
        };
        match value.get_ref() {
            _ if names.is_setting(&path) => {
                let raw = Raw::of_file(value.get_ref());
                given.insert(path, Given { raw, origin: place.origin(key.span().start) });
            }
            DeValue::Table(inner) if names.is_part(&path) => {
                walk(inner, &path, place, names, given)?;
            }
            _ if names.is_part(&path) => {
                return Err(place.wrong(start(value), &format!("`{path}` is a table: `[{path}]`")));
            }
            _ => {
                let reason = names.unknown(&path, "there is no setting");
                return Err(place.wrong(key.span().start, &reason));
            }
        }
    }
    Ok(())
}

fn start(value: &Spanned<DeValue<'_>>) -> usize {
    value.span().start
}

/// Where in which file something stands.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        Origin::File { path: self.path.to_owned(), line }
    }

    fn wrong(&self, offset: usize, reason: &str) -> Wrong {
        Wrong { origin: self.origin(offset), reason: reason.to_owned() }
    }
}
