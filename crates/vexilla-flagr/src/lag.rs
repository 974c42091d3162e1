//! When an export holds the change that the probe announced.
//!
//! The probe (`max_id`) is answered from Flagr's database, the export from Flagr's memory, which follows the database
//! within Flagr's refresh interval. So the export that is read after the probe said `M` may be older than `M`. If the
//! marker said `M` then, the next fetch would find `M` again, believe that nothing changed, and the change would be
//! lost. The marker may say a number only if the flags are known to hold every change up to it. They are, when
//!
//! 1. **a flag carries `M` or more.** Flagr loads everything at once, so whoever has that change has those before it.
//!    The marker then says the number that was found. If that is more than `M`, the next probe will say it too.
//! 2. **the lag has passed** between the first time that the probe said `M` and the request for the export. This is how
//!    a deletion gets through: its number is never carried by any flag. The marker says `M`, so it is waited for once
//!    and not read again and again.
//!
//! As long as neither holds, the export is read again; on the first load, where waiting would keep a program from
//! starting, the flags are handed out with a marker that says no number, and the next fetch reads the export again.
//!
//! A number that goes **down** is another history: somebody restored a backup. An export from before that still carries
//! larger numbers, so rule 1 then asks for exactly `M`.
//!
//! When the probe first said `M` is remembered from fetch to fetch: a fetch that is dropped while it waits loses
//! nothing, and time that passed between two fetches counts.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far the export may be behind, and since when the newest snapshot is known.
#[derive(Debug)]
pub(crate) struct Lag {
    limit: Duration,
    first_seen: Mutex<Option<(u64, Instant)>>,
}

/// A change that the probe announced, at the moment before the export is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced {
    /// What the probe said.
    newest: u64,
    /// What the caller's flags hold; 0 when unknown.
    held: u64,
    /// How long the export may still be behind.
    left: Duration,
}

/// What an export proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It holds every change up to this one.
    Holds(u64),
    /// It may be behind, for this long at most.
    Behind(Duration),
}

impl Lag {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, first_seen: Mutex::new(None) }
    }

    /// To be asked before each request for the export.
    pub(crate) fn announced(&self, newest: u64, held: u64) -> Announced {
        let now = Instant::now();
        let mut first_seen = self.first_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *first_seen {
            Some((known, since)) if known == newest => since,
            _ => {
                *first_seen = Some((newest, now));
                now
            }
        };
        Announced { newest, held, left: self.limit.saturating_sub(now.duration_since(since)) }
    }
}

impl Announced {
    /// What an export proves whose flags carry no larger snapshot id than `carried`.
    pub(crate) fn proof(self, carried: u64) -> Proof {
        let went_down = self.newest < self.held;
        let arrived = if went_down { carried == self.newest } else { self.newest <= carried };
        match (arrived, self.left) {
            (true, _) => Proof::Holds(carried),
            (false, Duration::ZERO) => Proof::Holds(self.newest),
            (false, left) => Proof::Behind(left),
        }
    }
}

#[cfg(test)]
mod tests;
