//! What a bounded cache counts.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::Striped;

/// The counts of a bounded cache, taken at one moment.
///
/// Whether an insertion is kept is decided shortly after it: until then it counts as admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Those of the hits whose entry was too old, and was given because nothing newer could be had.
    pub stale_hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Insertions, replacements included, that were let in.
    pub admitted: u64,
    /// Insertions that were not: larger than the budget, less frequent than what they would have displaced, or more at
    /// once than could be decided.
    pub rejected: u64,
    /// Entries that made room for others, or whose time was over.
    pub evicted: u64,
    /// Entries that are held.
    pub entries: u64,
    /// What they cost, in bytes.
    pub bytes: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    events: Striped<6>,
    entries: AtomicI64,
    bytes: AtomicI64,
}

/// What is counted one by one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Hit,
    StaleHit,
    Miss,
    Offered,
    Rejected,
    Evicted,
}

impl Counts {
    #[inline]
    pub(crate) fn add(&self, event: Event) {
        self.events.add(event as usize);
    }

    /// Counts an entry from now on until the weight is dropped.
    pub(crate) fn enter(&self, cost: i64) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(cost, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self, cost: i64) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(cost, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn entries(&self) -> u64 {
        u64::try_from(self.entries.load(Ordering::Relaxed)).unwrap_or_default()
    }

    pub(crate) fn stats(&self) -> CacheStats {
        let [hits, stale_hits, misses, offered, rejected, evicted] = self.events.sums();
        CacheStats {
            hits: hits + stale_hits,
            stale_hits,
            misses,
            admitted: offered.saturating_sub(rejected),
            rejected,
            evicted,
            entries: self.entries(),
            bytes: u64::try_from(self.bytes()).unwrap_or_default(),
        }
    }
}
