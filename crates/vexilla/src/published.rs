//! The rules as they are served, and how fresh they are.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vexilla_domain::{Freshness, Problem, Reason, Revision};
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
    pub(crate) problems: Vec<Problem>,
    /// The same flags as a document, if it is kept.
    pub(crate) export: Option<Arc<[u8]>>,
    refreshed_at_ms: AtomicU64,
    stale: AtomicBool,
}

impl Published {
    /// A publication that nobody has confirmed yet.
    pub(crate) fn new(
        ruleset: Ruleset,
        revision: Revision,
        problems: Vec<Problem>,
        export: Option<Arc<[u8]>>,
    ) -> Self {
        Self { ruleset, revision, problems, export, ..Self::default() }
    }

    /// What a flag that is not here means: there is none, or nothing was loaded yet.
    #[inline]
    pub(crate) fn absent(&self) -> Reason {
        if self.revision == Revision::default() { Reason::Fallback } else { Reason::NotFound }
    }

    /// Notes that the source confirmed these flags.
    pub(crate) fn confirm(&self, now: SystemTime) {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.refreshed_at_ms
            .store(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.stale.store(false, Ordering::Relaxed);
    }

    /// Notes that the source could not be asked.
    pub(crate) fn mark_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn freshness(&self) -> Freshness {
        Freshness {
            revision: self.revision,
            refreshed_at_ms: self.refreshed_at_ms.load(Ordering::Relaxed),
            stale: self.stale.load(Ordering::Relaxed),
        }
    }
}

/// Counts, not contents: there may be thousands of flags.
impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("flags", &self.ruleset.len())
            .field("problems", &self.problems.len())
            .field("freshness", &self.freshness())
            .finish_non_exhaustive()
    }
}
