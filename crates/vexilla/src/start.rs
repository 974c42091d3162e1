//! The first load: from the archive at once, else from the source.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::config::{Config, StartPolicy};
use crate::courier::Courier;
use crate::courier::delivery::{Delivery, Impressions, Replays};
use crate::error::StartError;
use crate::parts::Parts;
use crate::refresh::Refresher;
use crate::requests::Work;
use crate::shared::Shared;

/// Loads the flags for the first time: from the archive at once, else from the source.
pub(crate) async fn first_load(refresher: &mut Refresher) -> Result<(), StartError> {
    let limit = refresher.config.initial_timeout;
    let deadline = Instant::now() + limit;
    if refresher.parts.archive.is_some() {
        let archived = async {
            let leads = refresher.leads().await;
            (leads, refresher.follow(leads).await)
        };
        if let Ok((leads, Some(_))) = timeout_at(deadline, archived).await {
            if leads || !refresher.known.hears() || refresher.is_left_alone() {
                // Until the source confirms them, which is asked at once.
                refresher.shared.cell.load().mark_stale();
            }
            return Ok(());
        }
    }
    let span = Refresher::span();
    let turn = refresher.turn(Work::due()).instrument(span.clone());
    let first = match timeout_at(deadline, turn).await {
        Ok(loaded) => loaded.map(drop).map_err(StartError::Load),
        Err(_) => Err(StartError::Timeout(limit)),
    };
    match (first, refresher.config.start) {
        (Ok(()), _) => {
            refresher.save().instrument(span).await;
            Ok(())
        }
        (Err(error), StartPolicy::RequireFlags) => Err(error),
        (Err(error), StartPolicy::ComeUpEmpty) => {
            tracing::warn!(%error, "started without flags");
            Ok(())
        }
    }
}

/// Runs the refresher. Should it end by a panic, the rules are served on as stale ones, somebody else is let to ask the
/// source, and the client is not ready any more: whatever supervises the process is to start it again.
pub(crate) async fn supervise(
    refreshing: impl Future<Output = ()> + Send + 'static,
    shared: Arc<Shared>,
    parts: Parts,
) {
    // In a task of its own, which catches a panic.
    let Err(failure) = tokio::spawn(refreshing).await else { return };
    if failure.is_panic() {
        shared.has_failed.store(true, Ordering::Relaxed);
        shared.cell.load().mark_stale();
        tracing::error!("the refreshing ended by a defect: the flags stay as they are");
        if let Some(archive) = &parts.archive {
            archive.release().await;
        }
    }
}

/// Starts what brings exposures, and evaluations to be recorded, to Flagr.
pub(crate) async fn start_couriers(
    shared: &Shared,
    parts: &Parts,
    config: &Config,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), StartError> {
    let start = async |folder, delivery: Arc<dyn Delivery>| {
        Courier::start(&config.exposures, folder, delivery, stop.clone(), tasks).await
    };
    let mut started = Ok(());
    if let Some(sink) = &parts.exposures {
        match start("exposures", Arc::new(Impressions(Arc::clone(sink)))).await {
            Ok(courier) => drop(shared.exposures.set(courier)),
            Err(error) => started = Err(error),
        }
    }
    if let Some(recorder) = parts.recorder.as_ref().filter(|_| !shared.replayed.is_nothing())
        && started.is_ok()
    {
        match start("evaluations", Arc::new(Replays(Arc::clone(recorder)))).await {
            Ok(courier) => drop(shared.replays.set(courier)),
            Err(error) => started = Err(error),
        }
    }
    if started.is_err() {
        stop.cancel();
    }
    started.map_err(StartError::Spool)
}
