//! The first load: from the archive at once, else from the source.

use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use vexilla_domain::Depth;

use crate::config::StartPolicy;
use crate::error::StartError;
use crate::refresh::Refresher;
use crate::requests::Work;

/// Loads the flags for the first time: from the archive at once, else from the source.
pub(crate) async fn first_load(refresher: &mut Refresher) -> Result<(), StartError> {
    let limit = refresher.config.initial_timeout;
    let deadline = Instant::now() + limit;
    if refresher.parts.archive.is_some()
        && let Ok(Some(_)) = timeout_at(deadline, refresher.follow()).await
    {
        let published = refresher.shared.cell.load();
        published.mark_stale(); // until the source confirms them, which is asked at once
        return Ok(());
    }
    let span = Refresher::span();
    let turn = refresher.turn(Work::look(Depth::Probe)).instrument(span.clone());
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
