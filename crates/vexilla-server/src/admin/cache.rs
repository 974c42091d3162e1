//! A bounded cache in the JSON of the admin API.

use serde::Serialize;
use utoipa::ToSchema;
use vexilla_domain::CacheCounts;

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
    /// Entries that made room for others, or whose time was over.
    evicted: u64,
    /// Entries that are held.
    entries: u64,
    /// What they take, in bytes.
    bytes: u64,
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
        }
    }
}
