//! Since when a number is known that the export does not show, and when to look again.
//!
//! The probe (`max_id`) is answered from Flagr's database, the export from Flagr's memory, which follows the database
//! within Flagr's refresh interval. So an export that was asked for later than that after a number was first seen holds
//! everything up to it. The module `verdict` says what follows from that.
//!
//! The time is remembered from fetch to fetch: a fetch that is dropped loses nothing, and time that passed between two
//! fetches counts. Nobody sleeps here: the caller is told when to ask again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The pause before a number is looked for again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How far the export may be behind, and since when the newest number is known.
#[derive(Debug)]
pub(crate) struct Lag {
    limit: Duration,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    number: u64,
    since: Instant,
    /// How often it was looked for in vain.
    pauses: u32,
}

impl Lag {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, seen: Mutex::new(None) }
    }

    /// How long an export that was asked for at one moment may still have been behind a number that was seen at another.
    /// Only the first time that the number is seen counts.
    pub(crate) fn left(&self, number: u64, seen_at: Instant, asked_at: Instant) -> Duration {
        let mut seen = self.lock();
        let since = match *seen {
            Some(seen) if seen.number == number => seen.since,
            _ => {
                *seen = Some(Seen { number, since: seen_at, pauses: 0 });
                seen_at
            }
        };
        self.limit.saturating_sub(asked_at.saturating_duration_since(since))
    }

    /// The pause before the number is looked for again, when so much time is left; where none is, it takes what it takes.
    pub(crate) fn pause(&self, left: Duration) -> Duration {
        let mut seen = self.lock();
        let pauses = seen.as_mut().map_or(0, |it| {
            it.pauses = it.pauses.saturating_add(1);
            it.pauses - 1
        });
        let longest = if left.is_zero() { FIRST_PAUSE } else { left };
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(pauses)).min(longest)
    }

    /// The number was not seen again: the next time is the first one.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
