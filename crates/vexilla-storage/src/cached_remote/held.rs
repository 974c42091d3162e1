//! An answer that is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use vexilla_domain::{Answer, Clock, Source};

use super::call::Kept;
use super::weigh;

pub(super) struct Held {
    kept: Arc<Kept>,
    answer: Answer,
    answered: Instant,
    answered_ms: u64,
    refresh_begun: AtomicBool,
}

/// Whether an answer is given beyond its time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    No,
    Yes,
}

impl Held {
    /// An answer that was given now.
    pub(super) fn new(kept: Arc<Kept>, answer: Answer, clock: &dyn Clock) -> Self {
        let since_epoch = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            kept,
            answer,
            answered: clock.instant(),
            answered_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            refresh_begun: AtomicBool::new(false),
        }
    }

    /// Whether the caller is the one to refresh it.
    pub(super) fn begin_refresh(&self) -> bool {
        !self.refresh_begun.swap(true, Ordering::Relaxed)
    }

    /// Reads only, since all who hit the answer come by here.
    pub(super) fn is_being_refreshed(&self) -> bool {
        self.refresh_begun.load(Ordering::Relaxed)
    }

    pub(super) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.answered)
    }

    /// For those who asked.
    pub(super) fn as_answered(&self) -> Answer {
        self.answer.clone()
    }

    /// For those who come later.
    pub(super) fn cached(&self, stale: Stale) -> Answer {
        let mut answer = self.answer.clone();
        answer.evaluation.source = Source::RemoteCached;
        answer.evaluation.freshness.refreshed_at_ms = self.answered_ms;
        answer.evaluation.freshness.stale = stale == Stale::Yes;
        answer
    }

    /// Its own bytes, the heap's and the counts of its `Arc`.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + 2 * size_of::<usize>() + weigh::answer(&self.answer)
    }
}
