//! The rules as they are served, and how fresh they are.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vexilla_domain::{Freshness, MemorySavings, Problem, Reason, Revision};
use vexilla_eval::Ruleset;

/// One publication of the rules.
///
/// Everything is fixed but how fresh it is: the refresher confirms a publication again and again, or marks it stale,
/// without replacing it.
#[derive(Default)]
pub(crate) struct Published {
    pub(crate) ruleset: Ruleset,
    /// `0.0` before anything was loaded.
    pub(crate) revision: Revision,
    /// Counts the publications of this process: no two of its have the same.
    pub(crate) generation: u32,
    pub(crate) problems: Vec<Problem>,
    /// The same flags as a document, if it is kept.
    pub(crate) export: Option<Arc<[u8]>>,
    pub(crate) savings: MemorySavings,
    /// Where the flags came from, in words.
    pub(crate) origin: Box<str>,
    /// Whether it holds something else than what was fetched: newer flags, or no longer ones that were deleted since.
    pub(crate) merged: bool,
    pub(crate) confirmed: Confirmed,
}

/// What the source said of a publication last.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    max_snapshot_id: AtomicU64,
    refreshed_at_ms: AtomicU64,
    state: AtomicU8,
}

/// The source confirmed the rules when it was asked last.
const CONFIRMED: u8 = 0;
/// It could not be asked.
const STALE: u8 = 1;
/// For so long that a fallback applies.
const EXPIRED: u8 = 2;

impl Published {
    /// What a flag that is not here means: there is none, a filter keeps it out, or nothing was loaded yet.
    #[inline]
    pub(crate) fn absent(&self, key: &str) -> Reason {
        if self.is_empty() { Reason::Fallback } else { self.ruleset.absent(key) }
    }

    /// Whether nothing was ever loaded.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.revision == Revision::default()
    }

    /// Notes that the source confirmed these flags.
    pub(crate) fn confirm(&self, now: SystemTime) {
        self.confirmed_at(millis(now));
    }

    /// The same, of a time that somebody else tells.
    pub(crate) fn confirmed_at(&self, millis: u64) {
        self.refreshed_at(millis);
        self.confirmed.state.store(CONFIRMED, Ordering::Relaxed);
    }

    /// Notes when the source confirmed these flags, whatever it says now.
    pub(crate) fn refreshed_at(&self, millis: u64) {
        self.confirmed.refreshed_at_ms.store(millis, Ordering::Relaxed);
    }

    /// Notes that the source could not be asked.
    pub(crate) fn mark_stale(&self) {
        // Rules that are too old stay so.
        self.confirmed.state.fetch_max(STALE, Ordering::Relaxed);
    }

    /// Notes that the source could not be asked for too long.
    pub(crate) fn mark_expired(&self) {
        self.confirmed.state.store(EXPIRED, Ordering::Relaxed);
    }

    /// Whether the rules are too old to decide.
    #[inline]
    pub(crate) fn is_expired(&self) -> bool {
        self.confirmed.state.load(Ordering::Relaxed) == EXPIRED
    }

    /// Notes that the source said no more of these flags than of those.
    pub(crate) fn as_fresh_as(&self, other: &Self) {
        let Confirmed { refreshed_at_ms, state, .. } = &other.confirmed;
        self.refreshed_at(refreshed_at_ms.load(Ordering::Relaxed));
        self.confirmed.state.store(state.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes the newest snapshot that is known to be in the rules.
    pub(crate) fn set_max_snapshot_id(&self, id: Option<u64>) {
        self.confirmed.max_snapshot_id.store(id.unwrap_or_default(), Ordering::Relaxed);
    }

    /// The newest snapshot that is known to be in the rules; 0 when unknown.
    pub(crate) fn max_snapshot_id(&self) -> u64 {
        self.confirmed.max_snapshot_id.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn freshness(&self) -> Freshness {
        Freshness {
            revision: self.revision,
            refreshed_at_ms: self.confirmed.refreshed_at_ms.load(Ordering::Relaxed),
            stale: self.confirmed.state.load(Ordering::Relaxed) != CONFIRMED,
        }
    }
}

/// A time in milliseconds since the Unix epoch.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// Counts, not contents: there may be thousands of flags.
impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("flags", &self.ruleset.len())
            .field("problems", &self.problems.len())
            .field("origin", &self.origin)
            .field("freshness", &self.freshness())
            .finish_non_exhaustive()
    }
}
