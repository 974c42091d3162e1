//! The reads that the source makes of Flagr's API, each within its limits.

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use vexilla_domain::SourceError;

use crate::client::{Client, Query};
use crate::declined::Declined;
use crate::error;
use crate::exchange::Limits;
use crate::read::Answer;
use crate::retry::Retries;

pub(crate) const HEALTH: &str = "/api/v1/health";
pub(crate) const MAX_ID: &str = "/api/v1/flags/snapshots/max_id";
pub(crate) const EXPORT: &str = "/api/v1/export/eval_cache/json";
pub(crate) const FLAGS: &str = "/api/v1/flags";

/// An answer above this size is parsed away from the threads that serve connections.
const PARSED_INLINE: usize = 256 << 10;

/// Flagr's API, for reading.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) client: Arc<Client>,
    pub(crate) small: Limits,
    pub(crate) bulk: Limits,
    pub(crate) retries: Retries,
}

/// Something that was read, or Flagr's no.
pub(crate) type Told<T> = Result<T, Declined>;

/// Reads the body that a call (`GET /api/v1/…`) answered.
pub(crate) type Parse<T> = fn(&str, &[u8]) -> Result<T, SourceError>;

impl Api {
    /// Asks whether Flagr is there, once.
    pub(crate) async fn health(&self) -> Result<(), SourceError> {
        match self.client.get(HEALTH, &[], self.small, Retries::none()).await? {
            Answer::Json(_) => Ok(()),
            Answer::Declined(it) => Err(self.client.refused(HEALTH, it.status)),
        }
    }

    /// The largest snapshot id in Flagr's database. `None` when it has none to tell: there is no snapshot, the database
    /// failed (both are a 0 to Flagr), or the server is too old or has no database.
    pub(crate) async fn max_snapshot_id(&self) -> Result<Option<u64>, SourceError> {
        #[derive(Deserialize)]
        struct MaxId {
            #[serde(rename = "maxID")]
            max_id: Option<u64>,
        }

        match self.client.get(MAX_ID, &[], self.small, self.retries).await? {
            Answer::Declined(it) if it.no_such_path() || it.took_it_for_another() => Ok(None),
            Answer::Declined(it) => Err(self.client.refused(MAX_ID, it.status)),
            Answer::Json(body) => match serde_json::from_slice::<MaxId>(&body) {
                Ok(answer) => Ok(answer.max_id.filter(|it| *it > 0)),
                Err(error) => {
                    let call = self.client.call(&Method::GET, MAX_ID);
                    Err(error::unreadable(&call, &error).into())
                }
            },
        }
    }

    /// Reads something that may be large.
    pub(crate) async fn bulk<T: Send + 'static>(
        &self,
        path: &str,
        query: Query<'_>,
        parse: Parse<T>,
    ) -> Result<Told<T>, SourceError> {
        match self.client.get(path, query, self.bulk, self.retries).await? {
            Answer::Json(body) => self.parsed(path, body, parse).await.map(Ok),
            Answer::Declined(declined) => Ok(Err(declined)),
        }
    }

    /// Parses what a path answered.
    pub(crate) async fn parsed<T: Send + 'static>(
        &self,
        path: &str,
        body: Vec<u8>,
        parse: Parse<T>,
    ) -> Result<T, SourceError> {
        let call = self.client.call(&Method::GET, path);
        if body.len() <= PARSED_INLINE {
            return parse(&call, &body);
        }
        let parsing = spawn_blocking({
            let call = call.clone();
            move || parse(&call, &body)
        });
        parsing.await.unwrap_or_else(|ended| Err(error::unreadable(&call, &ended).into()))
    }
}
