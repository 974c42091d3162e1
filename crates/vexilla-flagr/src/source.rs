//! Flagr as a [`FlagSource`]: probe, then the export where something changed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use vexilla_domain::{Fetch, Fetched, FlagSource, Marker, SourceError, Strictness};

use crate::client::Client;
use crate::exchange::Limits;
use crate::export::{self, Export};
use crate::lag::{Lag, Proof};
use crate::read::Answer;
use crate::retry::Retries;
use crate::{ConfigError, FlagrConfig, FlagrEvaluator, error};

const HEALTH: &str = "/api/v1/health";
const MAX_ID: &str = "/api/v1/flags/snapshots/max_id";
const EXPORT: &str = "/api/v1/export/eval_cache/json";

/// The pause before a lagging export is read again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// An export above this size is parsed away from the threads that serve connections.
const PARSED_INLINE: usize = 256 << 10;

/// The flags of a live Flagr.
#[derive(Debug)]
pub struct FlagrSource {
    client: Arc<Client>,
    small: Limits,
    bulk: Limits,
    retries: Retries,
    lag: Lag,
    evaluator: FlagrEvaluator,
}

impl FlagrSource {
    /// Prepares the client; no request is made. For an `https` address the system's certificates are read.
    ///
    /// # Errors
    ///
    /// If the configuration cannot work.
    pub fn new(config: FlagrConfig) -> Result<Self, ConfigError> {
        let small = Limits {
            idle: config.timeout,
            total: config.timeout,
            max_bytes: config.max_answer_bytes,
        };
        let bulk = Limits {
            idle: config.bulk_idle_timeout,
            total: config.bulk_timeout,
            max_bytes: config.max_export_bytes,
        };
        let retries = Retries {
            times: config.retries,
            base: config.retry_base,
            longest: config.retry_max,
            longest_asked: config.retry_after_max,
        };
        let evaluations = Limits {
            idle: config.evaluation_timeout,
            total: config.evaluation_timeout,
            max_bytes: config.max_evaluation_bytes,
        };
        let lag = Lag::new(config.export_lag);
        let max_batch = config.max_batch_evaluations;
        let client = Arc::new(Client::new(config)?);
        let evaluator = FlagrEvaluator::new(Arc::clone(&client), evaluations, max_batch);
        Ok(Self { client, small, bulk, retries, lag, evaluator })
    }

    /// Evaluation by this Flagr, over the same connections. What one of the evaluators learns of Flagr's limits, all
    /// know.
    pub fn evaluator(&self) -> FlagrEvaluator {
        self.evaluator.clone()
    }

    /// Asks whether Flagr is there, once. It says yes as soon as it listens, whatever its database does.
    ///
    /// # Errors
    ///
    /// If it is not, or is something else.
    pub async fn health(&self) -> Result<(), SourceError> {
        match self.client.get(HEALTH, self.small, Retries::none()).await? {
            Answer::Json(_) => Ok(()),
            Answer::Absent(status) => Err(self.client.refused(HEALTH, status)),
        }
    }

    /// The largest snapshot id in Flagr's database. `None` when it has none to tell: there is no snapshot, the database
    /// failed (both are a 0 to Flagr), or the server is too old or has no database.
    async fn max_snapshot_id(&self) -> Result<Option<u64>, SourceError> {
        #[derive(Deserialize)]
        struct MaxId {
            #[serde(rename = "maxID")]
            max_id: Option<u64>,
        }

        match self.client.get(MAX_ID, self.small, self.retries).await? {
            Answer::Absent(_) => Ok(None),
            Answer::Json(body) => match serde_json::from_slice::<MaxId>(&body) {
                Ok(answer) => Ok(answer.max_id.filter(|it| *it > 0)),
                Err(error) => {
                    let call = self.client.call(&Method::GET, MAX_ID);
                    Err(error::unreadable(&call, &error).into())
                }
            },
        }
    }

    async fn export(&self) -> Result<Export, SourceError> {
        let body = match self.client.get(EXPORT, self.bulk, self.retries).await? {
            Answer::Json(body) => body,
            Answer::Absent(status) => return Err(self.client.refused(EXPORT, status)),
        };
        let call = self.client.call(&Method::GET, EXPORT);
        if body.len() <= PARSED_INLINE {
            return export::read(&call, &body);
        }
        let parsing = spawn_blocking({
            let call = call.clone();
            move || export::read(&call, &body)
        });
        parsing.await.unwrap_or_else(|ended| Err(error::unreadable(&call, &ended).into()))
    }

    /// The flags with the change that the probe announced, and the number that their marker may say (see `lag`).
    async fn export_with(
        &self,
        newest: u64,
        seen: Option<&Marker>,
    ) -> Result<(Export, Option<u64>), SourceError> {
        let held = seen.and_then(|it| it.max_snapshot_id).unwrap_or_default();
        let mut pause = FIRST_PAUSE;
        loop {
            let announced = self.lag.announced(newest, held);
            let export = self.export().await?;
            match announced.proof(export.newest) {
                Proof::Holds(number) => return Ok((export, Some(number))),
                Proof::Behind(_) if seen.is_none() => return Ok((export, None)),
                Proof::Behind(left) => {
                    tracing::debug!(
                        newest,
                        carried = export.newest,
                        "flagr's export lags behind, reading it again"
                    );
                    sleep(pause.min(left)).await;
                    pause = pause.saturating_mul(2);
                }
            }
        }
    }
}

#[async_trait]
impl FlagSource for FlagrSource {
    async fn fetch(&self, seen: Option<&Marker>) -> Result<Fetch, SourceError> {
        let newest = self.max_snapshot_id().await?;
        if let Some(seen) = seen
            && newest.is_some()
            && newest == seen.max_snapshot_id
        {
            return Ok(Fetch::Unchanged(seen.clone()));
        }

        let (export, max_snapshot_id) = match newest {
            Some(newest) => self.export_with(newest, seen).await?,
            None => (self.export().await?, None),
        };
        if let Some(seen) = seen
            && seen.content == export.content
        {
            // Without a number of its own the caller keeps the one it has: the probe may know it again the next time.
            let max_snapshot_id =
                max_snapshot_id.or(seen.max_snapshot_id.filter(|_| newest.is_none()));
            return Ok(Fetch::Unchanged(Marker { max_snapshot_id, content: export.content }));
        }
        let marker = Marker { max_snapshot_id, content: export.content };
        Ok(Fetch::Changed(Fetched { flags: export.flags, problems: export.problems, marker }))
    }

    fn describe(&self) -> String {
        format!("Flagr at {}", self.client.address())
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}
