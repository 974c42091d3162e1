//! Counts of what an observer is told, for both ways to show them.

use std::sync::atomic::{AtomicU64, Ordering};

use vexilla_domain::{ArchiveOutcome, BreakerState, CacheRead, WebhookOutcome};

/// One counter for each word of an outcome. These events are rare beside evaluations: one atomic each is enough.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cache: [AtomicU64; CacheRead::ALL.len()],
    pub(crate) breaker: [AtomicU64; BreakerState::ALL.len()],
    pub(crate) archive: [AtomicU64; ArchiveOutcome::ALL.len()],
    pub(crate) webhook: [AtomicU64; WebhookOutcome::ALL.len()],
}

/// Adds one at the place of a word.
pub(crate) fn count(counters: &[AtomicU64], place: usize) {
    if let Some(counter) = counters.get(place) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
