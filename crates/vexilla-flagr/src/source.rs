//! Flagr as a [`FlagSource`]: probe, then all flags where something changed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use vexilla_domain::json::Rows;
use vexilla_domain::{
    Depth, Fetch, FlagRef, FlagSource, FlagState, Marker, SourceError, Strictness,
};

use crate::api::Api;
use crate::client::Client;
use crate::exchange::Limits;
use crate::filter::ExportQuery;
use crate::ladder::Ladder;
use crate::lag::Lag;
use crate::reading::Reading;
use crate::retry::Retries;
use crate::verdict::{Evidence, Probed, Verdict};
use crate::{ConfigError, FlagrConfig, FlagrEvaluator, FlagrExposures};

/// The flags of a live Flagr.
///
/// A fetch asks for the largest snapshot id, and reads all flags only where that moved, where there is none, or where a
/// full read is asked for. Flags that lag behind what the probe said are handed out as they are, with
/// [`again_in`](Fetch::again_in) and a marker that says no more than they prove. A number that falls changes nothing
/// until a second probe, after the flags were read, and the flags themselves confirm it. The flags of the other history
/// then come with the lower number in any case, even those whose content the caller already has.
///
/// An empty export is handed out like any other: only the caller knows whether it had flags before.
#[derive(Debug)]
pub struct FlagrSource {
    api: Api,
    ladder: Ladder,
    /// Since when a number is announced that the export does not show.
    announced: Lag,
    /// Since when the number is lower than the one that was known, or gone.
    doubted: Lag,
    evaluator: FlagrEvaluator,
    exposures: FlagrExposures,
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
        let filter = config.export_filter.as_ref().map(ExportQuery::new).transpose()?;
        let lag = config.export_lag;
        let max_batch = config.max_batch_evaluations;
        let client = Arc::new(Client::new(config)?);
        let evaluator = FlagrEvaluator::new(Arc::clone(&client), evaluations, max_batch);
        let exposures = FlagrExposures::new(Arc::clone(&client), evaluations);
        Ok(Self {
            api: Api { client, small, bulk, retries },
            ladder: Ladder::new(filter.unwrap_or_default()),
            announced: Lag::new(lag),
            doubted: Lag::new(lag),
            evaluator,
            exposures,
        })
    }

    /// Evaluation by this Flagr, over the same connections. What one of the evaluators learns of Flagr's limits, all
    /// know.
    pub fn evaluator(&self) -> FlagrEvaluator {
        self.evaluator.clone()
    }

    /// The way for exposures to this Flagr, over the same connections.
    pub fn exposures(&self) -> FlagrExposures {
        self.exposures.clone()
    }

    /// Says what flags mean that were asked for at this moment.
    fn answer(
        &self,
        seen: Option<&Marker>,
        probed: Probed,
        asked_at: Instant,
        reading: Reading,
        depth: Depth,
    ) -> Fetch<Rows> {
        let Reading { rows, shows, content } = reading;
        let evidence = Evidence { seen, probed, shows, content };
        let memory = if evidence.is_doubted() {
            &self.doubted
        } else {
            self.doubted.forget();
            &self.announced
        };
        let seen_at = if probed.last == probed.before { asked_at } else { Instant::now() };
        let left = match (probed.last, evidence.is_doubted()) {
            (None, false) => Duration::ZERO, // nothing is announced
            (last, _) => memory.left(last.unwrap_or_default(), seen_at, asked_at),
        };

        let verdict = evidence.judge(left);
        tracing::debug!(?probed, ?shows, ?verdict, "flags were read");
        let (number, again_in) = match verdict {
            Verdict::Holds(number) | Verdict::Fell(number) => (number, None),
            Verdict::Behind(number) => (number, Some(memory.pause(left))),
            Verdict::Doubtful => {
                let marker = seen.cloned().unwrap_or_default();
                return Fetch { changed: None, marker, again_in: Some(memory.pause(left)) };
            }
        };
        let fell = matches!(verdict, Verdict::Fell(_));
        if fell {
            self.doubted.forget();
        }
        Fetch {
            changed: (fell || depth == Depth::Anew || !evidence.is_same()).then_some(rows),
            marker: Marker { max_snapshot_id: number, content },
            again_in,
        }
    }
}

#[async_trait]
impl FlagSource for FlagrSource {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        Ok(self.fetch_rows(seen, depth).await?.map(Rows::into_document))
    }

    async fn fetch_rows(
        &self,
        seen: Option<&Marker>,
        depth: Depth,
    ) -> Result<Fetch<Rows>, SourceError> {
        let before = self.api.max_snapshot_id().await?;
        let held = seen.and_then(|it| it.max_snapshot_id);
        if let Some(seen) = seen
            && depth == Depth::Probe
            && before.is_some()
            && before == held
        {
            self.doubted.forget();
            return Ok(Fetch { changed: None, marker: seen.clone(), again_in: None });
        }

        let asked_at = Instant::now();
        let reading = self.ladder.read(&self.api, depth).await?;
        // A number that fell is asked for once more; one that is gone is `None` and no number.
        let last = if before.is_some() && before < held {
            self.api.max_snapshot_id().await?
        } else {
            before
        };
        Ok(self.answer(seen, Probed { before, last }, asked_at, reading, depth))
    }

    async fn fetch_flag(&self, flag: FlagRef<'_>) -> Result<FlagState, SourceError> {
        self.api.flag(flag).await
    }

    /// Asks once. Flagr says yes as soon as it listens, whatever its database does.
    async fn health(&self) -> Result<(), SourceError> {
        self.api.health().await
    }

    fn describe(&self) -> String {
        format!("Flagr at {}", self.api.client.address())
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}
