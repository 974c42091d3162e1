//! What the callers of a client and its refresher share.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vexilla_domain::Reason;
use vexilla_storage::{SnapshotCell, Striped};

use crate::error::RefreshError;
use crate::published::Published;

/// The rules, and what is counted.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cell: SnapshotCell<Published>,
    pub(crate) counts: Counts,
}

/// Counters. Those of evaluations are striped; those of refreshes are written by the refresher alone.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    evaluations: Striped<{ REASONS.len() }>,
    refreshes: AtomicU64,
    failures: AtomicU64,
    consecutive_failures: AtomicU32,
    last_duration_us: AtomicU64,
    last_error: Mutex<Option<Box<str>>>,
}

/// The reasons that are counted, each at its place.
pub(crate) const REASONS: [Reason; 11] = [
    Reason::TargetingMatch,
    Reason::Static,
    Reason::Split,
    Reason::NoMatch,
    Reason::Holdout,
    Reason::NoSegments,
    Reason::Disabled,
    Reason::NotFound,
    Reason::Fallback,
    Reason::NeedsRemote,
    Reason::Error,
];

/// The place of a reason in [`REASONS`].
#[inline]
fn place(reason: Reason) -> usize {
    match reason {
        Reason::TargetingMatch => 0,
        Reason::Static => 1,
        Reason::Split => 2,
        Reason::NoMatch => 3,
        Reason::Holdout => 4,
        Reason::NoSegments => 5,
        Reason::Disabled => 6,
        Reason::NotFound => 7,
        Reason::Fallback => 8,
        Reason::NeedsRemote => 9,
        _ => 10,
    }
}

impl Counts {
    #[inline]
    pub(crate) fn evaluated(&self, reason: Reason) {
        self.evaluations.add(place(reason));
    }

    /// Evaluations by reason, in the order of [`REASONS`].
    pub(crate) fn evaluations(&self) -> [u64; REASONS.len()] {
        self.evaluations.sums()
    }

    /// Counts a success. Gives how many failures came before it in a row.
    pub(crate) fn succeeded(&self, took: Duration) -> u32 {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.finished(took, None);
        self.consecutive_failures.swap(0, Ordering::Relaxed)
    }

    /// Counts a failure. Gives whether it is news: the one before it was none, or had another reason.
    pub(crate) fn failed(&self, took: Duration, error: &RefreshError) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.consecutive_failures.fetch_add(1, Ordering::Relaxed);
        let error: Box<str> = error.to_string().into();
        self.finished(took, Some(error.clone())) != Some(error)
    }

    /// Notes how a refresh ended. Gives the error of the one before.
    fn finished(&self, took: Duration, error: Option<Box<str>>) -> Option<Box<str>> {
        self.last_duration_us
            .store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, error)
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(crate) fn consecutive_failures(&self) -> u32 {
        self.consecutive_failures.load(Ordering::Relaxed)
    }

    pub(crate) fn last_duration(&self) -> Duration {
        Duration::from_micros(self.last_duration_us.load(Ordering::Relaxed))
    }

    pub(crate) fn last_error(&self) -> Option<Box<str>> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A number from 0 to 1, to spread things in time with.
pub(crate) fn random_fraction() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
