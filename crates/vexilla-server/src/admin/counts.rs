//! What caches and queues count, in the JSON of the admin API.

use serde::Serialize;
use utoipa::ToSchema;
use vexilla_domain::{CacheCounts, QueueCounts};

/// What a bounded cache counts.
#[derive(Serialize, ToSchema)]
pub(super) struct CacheBody {
    /// Reads that found what they wanted.
    hits: u64,
    /// Those of the hits that were beyond their time.
    stale_hits: u64,
    /// Reads that did not.
    misses: u64,
    /// Insertions that were let in.
    admitted: u64,
    /// Insertions that were not.
    rejected: u64,
    /// Entries that made room for others, or, of Flagr's answers, whose time was over.
    evicted: u64,
    /// Entries that are held.
    entries: u64,
    /// What they take, in bytes.
    bytes: u64,
    /// What they may take, in bytes.
    max_bytes: u64,
}

impl From<CacheCounts> for CacheBody {
    fn from(counts: CacheCounts) -> Self {
        Self {
            hits: counts.hits,
            stale_hits: counts.stale_hits,
            misses: counts.misses,
            admitted: counts.admitted,
            rejected: counts.rejected,
            evicted: counts.evicted,
            entries: counts.entries,
            bytes: counts.bytes,
            max_bytes: counts.max_bytes,
        }
    }
}

/// What a queue to Flagr counts.
#[derive(Serialize, ToSchema)]
pub(super) struct QueueBody {
    /// Those that wait.
    queued: u64,
    /// How many bytes those take, in memory and on the disk.
    bytes: u64,
    /// Those that Flagr took.
    sent: u64,
    /// Those that were lost.
    dropped: u64,
    /// Those of the dropped that Flagr refused, one by one.
    row_errors: u64,
    /// Those that were never taken; whoever reported them was told.
    rejected: u64,
    /// Why the last delivery failed, if it did.
    last_error: Option<Box<str>>,
}

impl From<QueueCounts> for QueueBody {
    fn from(counts: QueueCounts) -> Self {
        Self {
            queued: counts.queued,
            bytes: counts.bytes,
            sent: counts.sent,
            dropped: counts.dropped,
            row_errors: counts.row_errors,
            rejected: counts.rejected,
            last_error: counts.last_error,
        }
    }
}
