//! One flag as it is in Flagr's database at this moment.
//!
//! The body comes out of the flag's newest snapshot, which is complete and has its number with it: so the two belong
//! together whatever is written meanwhile. A deleted flag has snapshots too, the newest of which shows it as it was. So
//! whether the flag is still there is asked afterwards: had it been asked before, a deletion in between would come out
//! as the newest state of a flag that is there. Restored in between it is at worst a state before the restoration, with
//! the number of that state.

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::json::{read_flags, repair};
use vexilla_domain::{
    Flag, FlagId, FlagRef, FlagState, SnapshotId, SourceError, SourceErrorKind, Timestamp,
};

use crate::api::{Api, FLAGS, Told};
use crate::details::check_id;
use crate::error;

impl Api {
    /// The flag by its id, or else by its key.
    pub(crate) async fn flag(&self, flag: FlagRef<'_>) -> Result<FlagState, SourceError> {
        if flag.id != 0 {
            return self.flag_by_id(FlagId(flag.id)).await;
        }
        if flag.key.is_empty() {
            return Ok(FlagState::Unknown);
        }
        let Some(rows) = open(self.bulk(FLAGS, &[("key", flag.key)], keys).await)? else {
            return Ok(FlagState::Unknown);
        };
        // Databases differ in what they take for the same key, and servers before 1.0.12 give all flags.
        match rows.iter().find(|(_, key)| **key == *flag.key) {
            Some((id, _)) => self.flag_by_id(*id).await,
            None => self.gone(FlagId(0)).await,
        }
    }

    async fn flag_by_id(&self, id: FlagId) -> Result<FlagState, SourceError> {
        let path = format!("{FLAGS}/{id}");
        let newest = self.bulk(&format!("{path}/snapshots"), &[("limit", "1")], newest).await;
        let Some(newest) = open(newest)? else { return Ok(FlagState::Unknown) };

        let exists =
            self.bulk(&path, &[], |call, body| Ok((call.to_owned(), repair(body).into_owned())));
        let changed = match exists.await {
            Ok(Err(declined)) if declined.no_such_object() => return self.gone(id).await,
            told => match open(told)? {
                Some((call, body)) => {
                    check_id(&call, &body, id)?;
                    last_change(&body)
                }
                None => return Ok(FlagState::Unknown),
            },
        };
        match newest {
            Some(mut flag) if flag.id == id => {
                // The snapshot was taken before the date of its change was written.
                flag.times.updated_at = changed.unwrap_or(flag.times.updated_at);
                Ok(FlagState::Found(Box::new(flag)))
            }
            Some(_) => {
                let call = self.client.call(&Method::GET, &format!("{path}/snapshots"));
                Err(error::unreadable(&call, &"another flag than was asked for").into())
            }
            // A flag without a snapshot, or with one that cannot be read, has no number to be compared by.
            None => Ok(FlagState::Unknown),
        }
    }

    /// Says that a flag is not there. The number is read afterwards, so that it is not below that of the deletion.
    async fn gone(&self, id: FlagId) -> Result<FlagState, SourceError> {
        let newest = self.max_snapshot_id().await?.unwrap_or_default();
        Ok(FlagState::Gone { id, newest })
    }
}

/// What was told, if this Flagr tells us such things at all: a gate, an eval-only server and an old one do not.
fn open<T>(told: Result<Told<T>, SourceError>) -> Result<Option<T>, SourceError> {
    match told {
        Ok(told) => Ok(told.ok()),
        Err(error) if error.kind() == SourceErrorKind::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ids and keys of a list of flags.
fn keys(call: &str, body: &[u8]) -> Result<Vec<(FlagId, String)>, SourceError> {
    #[derive(Deserialize)]
    struct Row {
        id: u64,
        #[serde(default)]
        key: String,
    }

    let rows: Vec<Row> =
        serde_json::from_str(&repair(body)).map_err(|it| error::unreadable(call, &it))?;
    Ok(rows.into_iter().map(|it| (FlagId(it.id), it.key)).collect())
}

/// When a flag was changed last, as it says itself.
fn last_change(body: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "updatedAt")]
        updated_at: String,
    }

    let row: Row = serde_json::from_str(body).ok()?;
    Timestamp::parse(&row.updated_at)
}

/// The flag in the first of a list of snapshots: the newest one, also from servers before 1.1.17, which give all. `None`
/// when there is none, or none that can be read.
fn newest(call: &str, body: &[u8]) -> Result<Option<Flag>, SourceError> {
    #[derive(Deserialize)]
    struct Row<'a> {
        id: u64,
        #[serde(borrow)]
        flag: &'a RawValue,
        /// In the flag it is still the one who made the change before.
        #[serde(default, rename = "updatedBy")]
        updated_by: Box<str>,
    }

    let body = repair(body);
    let rows: Vec<Row> = serde_json::from_str(&body).map_err(|it| error::unreadable(call, &it))?;
    let Some(row) = rows.first() else { return Ok(None) };
    let flag = read_flags(format!("[{}]", row.flag.get()).as_bytes()).ok();
    Ok(flag.and_then(|mut it| it.flags.pop()).map(|mut flag| {
        flag.snapshot_id = SnapshotId(row.id);
        flag.updated_by.clone_from(&row.updated_by);
        flag
    }))
}

#[cfg(test)]
mod tests;
