//! What a bounded cache counts.

use std::sync::atomic::{AtomicI64, Ordering};

use vexilla_domain::CacheCounts;

use crate::Striped;

/// The counts of a bounded cache, while they are counted.
///
/// Whether an insertion is kept is decided shortly after it: until then it counts as admitted.
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

    pub(crate) fn read(&self) -> CacheCounts {
        let [hits, stale_hits, misses, offered, rejected, evicted] = self.events.sums();
        let mut counts = CacheCounts::default();
        counts.hits = hits + stale_hits;
        counts.stale_hits = stale_hits;
        counts.misses = misses;
        counts.admitted = offered.saturating_sub(rejected);
        counts.rejected = rejected;
        counts.evicted = evicted;
        counts.entries = self.entries();
        counts.bytes = u64::try_from(self.bytes()).unwrap_or_default();
        counts
    }
}
