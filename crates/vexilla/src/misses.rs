//! Unknown keys: who looks for changes, who waits with them, and who knows already.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// When somebody last looked for changes because of an unknown key.
#[derive(Debug)]
pub(crate) struct Misses {
    interval: Duration,
    state: Mutex<State>,
    /// Counts the looks that have ended.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    looking: bool,
}

/// What a caller with an unknown key does.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// It looks for changes. To be held until that has come to something.
    Look(Looking<'a>),
    /// It waits for the one who looks: until this changes.
    Join(watch::Receiver<u64>),
    /// Nothing: somebody looked a moment ago.
    Pass,
}

/// The turn of the one who looks. Over when it is dropped.
#[derive(Debug)]
pub(crate) struct Looking<'a>(&'a Misses);

impl Misses {
    /// At most one look in each interval.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::default(), ended: watch::Sender::new(0) }
    }

    pub(crate) fn turn(&self, now: Instant) -> Turn<'_> {
        let mut state = self.state();
        let recent = state.last.is_some_and(|it| now.saturating_duration_since(it) < self.interval);
        match (recent, state.looking) {
            // Taken while the state is locked: the look cannot end unseen.
            (_, true) => Turn::Join(self.ended.subscribe()),
            (true, false) => Turn::Pass,
            (false, false) => {
                *state = State { last: Some(now), looking: true };
                Turn::Look(Looking(self))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.looking = false;
        self.0.ended.send_modify(|it| *it += 1);
    }
}
