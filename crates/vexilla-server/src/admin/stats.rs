//! A client's statistics in the JSON of the admin API.

use serde::Serialize;
use utoipa::ToSchema;
use vexilla_domain::{ArchiveLayer, MemorySavings, Stats};

use super::counts::{CacheBody, QueueBody};
use super::wire::time;

#[derive(Serialize, ToSchema)]
pub(super) struct StatsBody {
    /// Where flags are asked for.
    source: Box<str>,
    /// Where the flags that are served came from.
    origin: Box<str>,
    /// How many flags are served.
    flags: usize,
    /// How many flags are in error.
    quarantined: usize,
    savings: SavingsBody,
    /// The publication of the flags.
    revision: String,
    /// Flagr's largest snapshot id that is known to be in the flags, 0 when unknown.
    max_snapshot_id: u64,
    /// When the source last confirmed the flags.
    refreshed_at: Option<String>,
    /// How many seconds ago that was.
    age_seconds: Option<f64>,
    /// Whether the last refresh failed.
    stale: bool,
    /// Refreshes that succeeded.
    refreshes: u64,
    /// Refreshes that failed.
    failures: u64,
    /// How many of the last refreshes failed in a row.
    consecutive_failures: u32,
    /// How long the last refresh took.
    last_refresh_seconds: f64,
    /// Why the last refresh failed, if it did.
    last_error: Option<Box<str>>,
    /// Why the last save into the archive failed, if it did.
    archive_error: Option<Box<str>>,
    /// Whether this instance asks the source for the fleet that shares its archive; null where nobody shares one.
    leads: Option<bool>,
    /// The archives, the one that others share first.
    archives: Vec<ArchiveBody>,
    /// The breaker before Flagr, if there is one: `closed`, `open` or `half-open`.
    breaker: Option<Box<str>>,
    /// Evaluations by who decided and why.
    evaluations: Vec<CountBody>,
    /// All evaluations.
    total: u64,
    /// Evaluations that were decided from the flags or a kept answer.
    hits: u64,
    /// Evaluations that Flagr was asked for, and those that nothing could decide.
    misses: u64,
    /// Data records that were lost because a decision was made here in place of Flagr.
    lost_records: u64,
    /// Bytes of the flags as a document, if it is kept.
    document_bytes: usize,
    /// Flagr's answers that are kept; left out where none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_cache: Option<CacheBody>,
    /// What flags are made of, where that is under a budget of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    bodies: Option<CacheBody>,
    /// Exposures on their way to Flagr; left out without a Flagr.
    #[serde(skip_serializing_if = "Option::is_none")]
    exposures: Option<QueueBody>,
    /// Evaluations that Flagr is to record afterwards; left out where it is not to.
    #[serde(skip_serializing_if = "Option::is_none")]
    replays: Option<QueueBody>,
}

/// What a filter keeps out.
#[derive(Serialize, ToSchema)]
struct SavingsBody {
    total_flags: usize,
    cached_flags: usize,
    filtered_flags: usize,
    bytes_saved: u64,
    percent_filtered: f64,
}

/// An archive, as it was found last.
#[derive(Serialize, ToSchema)]
struct ArchiveBody {
    /// The archive in a few words.
    name: Box<str>,
    /// Why it did not do what it was asked last, if it did not.
    error: Option<Box<str>>,
    /// Whether this instance asks the source for all that share it; null where nobody shares it.
    leads: Option<bool>,
}

/// How often it came out so.
#[derive(Serialize, ToSchema)]
struct CountBody {
    source: &'static str,
    reason: &'static str,
    count: u64,
}

impl From<Stats> for StatsBody {
    fn from(stats: Stats) -> Self {
        let (total, hits, misses) = (stats.total(), stats.hits(), stats.misses());
        let counts = stats.evaluations.iter().map(|(source, reason, count)| CountBody {
            source: source.as_str(),
            reason: reason.as_str(),
            count: *count,
        });
        Self {
            evaluations: counts.collect(),
            source: stats.source,
            origin: stats.origin,
            flags: stats.flags,
            quarantined: stats.quarantined,
            savings: stats.savings.into(),
            revision: stats.revision.to_string(),
            max_snapshot_id: stats.max_snapshot_id,
            refreshed_at: stats.refreshed_at.and_then(time),
            age_seconds: stats.age.map(|it| it.as_secs_f64()),
            stale: stats.stale,
            refreshes: stats.refreshes,
            failures: stats.failures,
            consecutive_failures: stats.consecutive_failures,
            last_refresh_seconds: stats.last_refresh_duration.as_secs_f64(),
            last_error: stats.last_error,
            archive_error: stats.archive_error,
            leads: stats.leads,
            archives: stats.archives.into_iter().map(ArchiveBody::from).collect(),
            breaker: stats.breaker,
            total,
            hits,
            misses,
            lost_records: stats.lost_records,
            document_bytes: stats.document_bytes,
            remote_cache: stats.remote_cache.map(CacheBody::from),
            bodies: stats.bodies.map(CacheBody::from),
            exposures: stats.exposures.map(QueueBody::from),
            replays: stats.replays.map(QueueBody::from),
        }
    }
}

impl From<ArchiveLayer> for ArchiveBody {
    fn from(layer: ArchiveLayer) -> Self {
        Self { name: layer.name, error: layer.error, leads: layer.leads }
    }
}

impl From<MemorySavings> for SavingsBody {
    fn from(savings: MemorySavings) -> Self {
        Self {
            total_flags: savings.total_flags,
            cached_flags: savings.cached_flags,
            filtered_flags: savings.filtered_flags,
            bytes_saved: savings.bytes_saved,
            percent_filtered: savings.percent_filtered,
        }
    }
}
