//! What a client counts, put together.

use std::time::{Duration, UNIX_EPOCH};

use vexilla_domain::{Freshness, Stats};

use crate::courier::Courier;
use crate::parts::Parts;
use crate::shared::Shared;

pub(crate) fn of(shared: &Shared, parts: &Parts) -> Stats {
    let published = shared.cell.load();
    let Freshness { revision, refreshed_at_ms, stale } = published.freshness();
    let counts = &shared.counts;
    let (evaluations, lost_records) = counts.evaluations();
    let refreshed_at =
        (refreshed_at_ms > 0).then(|| UNIX_EPOCH + Duration::from_millis(refreshed_at_ms));
    let breaker = parts.breaker.as_ref().map(|it| it.state(parts.clock.instant()));

    let mut stats = Stats::default();
    stats.source = parts.source.describe().into();
    stats.origin = published.origin.clone();
    stats.flags = published.ruleset.len();
    stats.quarantined = published.quarantined().len();
    stats.savings = published.savings;
    stats.revision = revision;
    stats.max_snapshot_id = published.max_snapshot_id();
    stats.refreshed_at = refreshed_at;
    stats.age = refreshed_at.map(|it| parts.clock.now().duration_since(it).unwrap_or_default());
    stats.stale = stale;
    stats.refreshes = counts.refreshes();
    stats.failures = counts.failures();
    stats.consecutive_failures = counts.consecutive_failures();
    stats.last_refresh_duration = counts.last_duration();
    stats.last_error = counts.last_error();
    stats.archive_error = counts.archive_error();
    stats.archives = parts.archive.as_ref().map(|it| it.layers()).unwrap_or_default();
    let leads: Vec<bool> = stats.archives.iter().filter_map(|it| it.leads).collect();
    stats.leads = (!leads.is_empty()).then(|| leads.iter().all(|it| *it));
    // An archive that stands alone does not count its failures; what came of its saves is known here.
    if let ([only], Some(error)) = (stats.archives.as_mut_slice(), &stats.archive_error) {
        only.error.get_or_insert_with(|| error.clone());
    }
    stats.breaker = breaker.map(|it| it.to_string().into());
    stats.evaluations = evaluations;
    stats.lost_records = lost_records;
    stats.remote_cache = parts.cache_counts();
    stats.bodies = parts.body_counts();
    stats.document_bytes = published.export.as_ref().map_or(0, |it| it.len());
    stats.exposures = shared.exposures.get().map(Courier::counts);
    stats.replays = shared.replays.get().map(Courier::counts);
    stats
}
