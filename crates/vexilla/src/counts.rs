//! What is counted.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vexilla_domain::{Reason, Source};
use vexilla_storage::Striped;

use crate::error::RefreshError;

/// Counters. Those of evaluations are striped; those of refreshes are written by the refresher alone.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    evaluations: Striped<COUNTERS>,
    refreshes: AtomicU64,
    failures: AtomicU64,
    consecutive_failures: AtomicU32,
    last_duration_us: AtomicU64,
    last_error: Mutex<Option<Box<str>>>,
    archive_error: Mutex<Option<Box<str>>>,
}

/// The reasons that are counted, each at its place.
const REASONS: [Reason; 12] = [
    Reason::TargetingMatch,
    Reason::Static,
    Reason::Split,
    Reason::NoMatch,
    Reason::Holdout,
    Reason::NoSegments,
    Reason::Disabled,
    Reason::NotFound,
    Reason::Filtered,
    Reason::Fallback,
    Reason::NeedsRemote,
    Reason::Error,
];

/// The sources that are counted, each at its place.
const SOURCES: [Source; 5] =
    [Source::Local, Source::Standby, Source::Remote, Source::RemoteCached, Source::Fallback];

/// Each source with each reason, and the lost records.
const COUNTERS: usize = SOURCES.len() * REASONS.len() + 1;
const LOST_RECORDS: usize = COUNTERS - 1;

/// The place of a reason in [`REASONS`].
#[inline]
fn reason_at(reason: Reason) -> usize {
    match reason {
        Reason::TargetingMatch => 0,
        Reason::Static => 1,
        Reason::Split => 2,
        Reason::NoMatch => 3,
        Reason::Holdout => 4,
        Reason::NoSegments => 5,
        Reason::Disabled => 6,
        Reason::NotFound => 7,
        Reason::Filtered => 8,
        Reason::Fallback => 9,
        Reason::NeedsRemote => 10,
        _ => 11,
    }
}

/// The place of a source in [`SOURCES`].
#[inline]
fn source_at(source: Source) -> usize {
    match source {
        Source::Local => 0,
        Source::Standby => 1,
        Source::Remote => 2,
        Source::RemoteCached => 3,
        _ => 4,
    }
}

impl Counts {
    /// Counts an evaluation. Gives how many of its kind this thread, or one of its stripe, counted before.
    #[inline]
    pub(crate) fn evaluated(&self, source: Source, reason: Reason) -> u64 {
        self.evaluations.add(source_at(source) * REASONS.len() + reason_at(reason))
    }

    /// A decision was made here that Flagr would have recorded.
    pub(crate) fn lost_record(&self) {
        self.evaluations.add(LOST_RECORDS);
    }

    /// Evaluations by who decided and why, where there were any, and the lost records.
    pub(crate) fn evaluations(&self) -> (Vec<(Source, Reason, u64)>, u64) {
        let sums = self.evaluations.sums();
        let pairs = SOURCES.into_iter().flat_map(|it| REASONS.map(|reason| (it, reason)));
        let counted = pairs.zip(sums).map(|((source, reason), count)| (source, reason, count));
        (counted.filter(|it| it.2 > 0).collect(), sums.last().copied().unwrap_or_default())
    }

    /// Counts a success. Gives how many failures came before it in a row.
    pub(crate) fn succeeded(&self, took: Duration) -> u32 {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.finished(took, None);
        self.consecutive_failures.swap(0, Ordering::Relaxed)
    }

    /// Another instance has had an answer. Gives how many failures in a row that ends.
    pub(crate) fn heard(&self) -> u32 {
        let failures = self.consecutive_failures.swap(0, Ordering::Relaxed);
        if failures > 0 {
            replace(&self.last_error, None);
        }
        failures
    }

    /// Counts a failure. Gives whether it is news: the one before it was none, or had another reason.
    pub(crate) fn failed(&self, took: Duration, error: &RefreshError) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.consecutive_failures.fetch_add(1, Ordering::Relaxed);
        let error: Box<str> = error.to_string().into();
        self.finished(took, Some(error.clone())) != Some(error)
    }

    /// Counts a refresh that the breaker refused. What it goes back to stays the reason, if it is known. Gives whether it
    /// is news.
    pub(crate) fn suspended(&self, error: &RefreshError) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.consecutive_failures.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = last.is_none();
        last.get_or_insert_with(|| error.to_string().into());
        is_news
    }

    /// Notes how a refresh ended. Gives the error of the one before.
    fn finished(&self, took: Duration, error: Option<Box<str>>) -> Option<Box<str>> {
        self.last_duration_us
            .store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        replace(&self.last_error, error)
    }

    /// Notes how a save ended. Gives the error of the one before.
    pub(crate) fn saved(&self, error: Option<Box<str>>) -> Option<Box<str>> {
        replace(&self.archive_error, error)
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

    pub(crate) fn archive_error(&self) -> Option<Box<str>> {
        self.archive_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn replace(place: &Mutex<Option<Box<str>>>, value: Option<Box<str>>) -> Option<Box<str>> {
    std::mem::replace(&mut *place.lock().unwrap_or_else(PoisonError::into_inner), value)
}

#[cfg(test)]
mod tests;
