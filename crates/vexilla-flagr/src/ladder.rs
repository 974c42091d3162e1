//! The ways to read all flags, best first, and which of them a Flagr has.
//!
//! 1. **The export**, one request: what Flagr itself evaluates, and it alone carries each flag's snapshot id.
//! 2. **The list with everything in it**, one request (`GET /flags?preload=true`): where the export is behind a gate, as
//!    both of Flagr's gates have it by default, or where there is none (before 1.1.1).
//! 3. **The list and each flag** (`GET /flags`, `GET /flags/{id}`), eight at a time: servers before 1.0.15 do not know
//!    `preload` and leave out all segments and variants. A list that looks like that is believed only when the flags
//!    themselves have none either.
//!
//! Which one it is is found out once and remembered; any failure, a full read and a fetch that was dropped forget it.

use std::sync::{Mutex, PoisonError};

use vexilla_domain::{Depth, SourceError, SourceErrorKind};

use crate::api::{Api, EXPORT, FLAGS, Parse, Told};
use crate::client::Query;
use crate::filter::ExportQuery;
use crate::reading::{self, Reading};

/// The rungs, and the one that this Flagr has.
#[derive(Debug)]
pub(crate) struct Ladder {
    filter: ExportQuery,
    chosen: Mutex<Option<Rung>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    Export,
    Preload,
    Details,
}

impl Ladder {
    pub(crate) fn new(filter: ExportQuery) -> Self {
        Self { filter, chosen: Mutex::new(None) }
    }

    /// Reads all flags.
    pub(crate) async fn read(&self, api: &Api, depth: Depth) -> Result<Reading, SourceError> {
        let chosen = self.choose(None);
        if depth == Depth::Probe
            && let Some(rung) = chosen
            && let Ok(reading) = self.step(api, rung).await?
        {
            self.choose(Some(rung));
            return Ok(reading);
        }
        self.climb(api).await
    }

    async fn climb(&self, api: &Api) -> Result<Reading, SourceError> {
        let no_export = match self.step(api, Rung::Export).await? {
            Ok(reading) => {
                self.choose(Some(Rung::Export));
                return Ok(reading);
            }
            Err(refused) => refused,
        };
        tracing::debug!(because = %no_export, "flagr has no export for us, asking for its list");
        let list = match self.step(api, Rung::Preload).await? {
            Ok(list) => list,
            // Who wants credentials says more than who has no such path; and the export is what we want most.
            Err(no_list) if no_export.kind() == SourceErrorKind::Unauthorized => {
                tracing::debug!(because = %no_list, "flagr has no list for us either");
                return Err(no_export);
            }
            Err(no_list) if no_list.kind() == SourceErrorKind::Unauthorized => return Err(no_list),
            Err(_) => return Err(no_export),
        };
        if !list.is_hollow() {
            // An empty list shows nothing of what the server can do.
            self.choose(list.rows.iter().next().map(|_| Rung::Preload));
            return Ok(list);
        }
        let reading = api.with_details(&list).await?;
        if !reading.is_hollow() {
            self.choose(Some(Rung::Details));
        }
        Ok(reading)
    }

    /// Reads all flags in one way; the inner error says that this Flagr does not have it, or not for us.
    async fn step(
        &self,
        api: &Api,
        rung: Rung,
    ) -> Result<Result<Reading, SourceError>, SourceError> {
        let (path, query, parse): (_, Query<'_>, Parse<Reading>) = match rung {
            Rung::Export => (EXPORT, &self.filter.pairs(), reading::export),
            Rung::Preload => (FLAGS, &[("preload", "true")], reading::list),
            Rung::Details => (FLAGS, &[], reading::list),
        };
        let told: Told<Reading> = match api.bulk(path, query, parse).await {
            Err(error) if error.kind() == SourceErrorKind::Unauthorized => return Ok(Err(error)),
            told => told?,
        };
        match told {
            Ok(list) if rung == Rung::Details => api.with_details(&list).await.map(Ok),
            Ok(reading) => Ok(Ok(reading)),
            Err(it) if it.no_such_path() => Ok(Err(api.client.refused(path, it.status))),
            Err(it) => Err(api.client.refused(path, it.status)),
        }
    }

    /// Remembers a rung, or forgets it; gives the one before.
    fn choose(&self, rung: Option<Rung>) -> Option<Rung> {
        std::mem::replace(&mut *self.chosen.lock().unwrap_or_else(PoisonError::into_inner), rung)
    }
}
