//! What a notice says, in either dialect.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::{FlagId, FlagName};

use crate::reply::{Problem, read_json};

/// A notice that names more flags than this stands for all of them.
const MAX_FLAGS: usize = 1_000;

/// Flags that changed.
#[derive(Debug)]
pub(super) struct Notice {
    /// Which; none stand for all of them.
    pub(super) flags: Vec<FlagName>,
    /// When it was written, as it is: only of a signed one does it matter.
    timestamp: Option<Box<RawValue>>,
}

/// The members of both dialects; others may be there and are of no interest, such as Flagr's detailed differences.
#[derive(Deserialize)]
struct Written {
    event: Option<Event>,
    flag_keys: Option<Vec<Box<str>>>,
    operation: Option<Box<str>>,
    flag_id: Option<u64>,
    flag_key: Option<Box<str>>,
    timestamp: Option<Box<RawValue>>,
}

/// Both lead to the same: what became of a flag is read at its source.
#[derive(Deserialize)]
enum Event {
    #[serde(rename = "flag.updated")]
    Updated,
    #[serde(rename = "flag.deleted")]
    Deleted,
}

impl Notice {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let written: Written = read_json(body)?;
        let flags = match (written.event, written.operation) {
            (Some(Event::Updated | Event::Deleted), None) => {
                by_keys(written.flag_keys.unwrap_or_default())?
            }
            // Whatever part of the flag it is about, and whatever became of it. After a change of the key it is the new
            // one, and the id tells which flag that was.
            (None, Some(_)) => {
                let id = FlagId(written.flag_id.unwrap_or_default());
                let key = written.flag_key.unwrap_or_default();
                if id.0 == 0 && key.is_empty() {
                    return Err(Problem::bad("`flag_id` and `flag_key` are missing"));
                }
                vec![FlagName { id, key }]
            }
            (Some(_), Some(_)) => {
                return Err(Problem::bad("`event` and `operation` are of two dialects"));
            }
            (None, None) => return Err(Problem::bad("`event` or `operation` is missing")),
        };
        Ok(Self { flags, timestamp: written.timestamp })
    }

    /// When it was written, if it says so.
    pub(super) fn time(&self) -> Result<Option<SystemTime>, Problem> {
        self.timestamp.as_deref().map(read_time).transpose()
    }
}

fn read_time(written: &RawValue) -> Result<SystemTime, Problem> {
    let text: Box<str> = serde_json::from_str(written.get())
        .map_err(|error| Problem::bad(format!("`timestamp`: {error}")))?;
    let time = text.parse::<jiff::Timestamp>();
    time.map(SystemTime::from).map_err(|error| Problem::bad(format!("`timestamp`: {error}")))
}

fn by_keys(keys: Vec<Box<str>>) -> Result<Vec<FlagName>, Problem> {
    // None must not come to stand for all.
    if keys.is_empty() {
        return Err(Problem::bad("`flag_keys` is missing or empty"));
    }
    if keys.iter().any(|key| key.is_empty()) {
        return Err(Problem::bad("`flag_keys` holds an empty key"));
    }
    if MAX_FLAGS < keys.len() {
        return Ok(Vec::new());
    }
    Ok(keys.into_iter().map(|key| FlagName { id: FlagId(0), key }).collect())
}

#[cfg(test)]
mod tests;
