//! Notes that flags changed: left by whoever hears of it, taken by the refresher.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use vexilla_domain::FlagName;

/// Flags that are said to have changed. Many notes of one flag are one.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    noted: Mutex<Noted>,
    wake: Notify,
}

/// What is to be read anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) flags: HashSet<FlagName>,
    /// More flags than are worth reading one by one, or nobody knows which.
    pub(crate) everything: bool,
}

/// Above this number of flags all are read at once: each one by itself is two requests, and all are two as well, though
/// they may lag behind.
const MANY: usize = 4;

impl Notes {
    /// Leaves a note; no flags stand for all of them. Never waits.
    pub(crate) fn leave(&self, flags: &[FlagName]) {
        let mut noted = self.noted();
        if flags.is_empty() {
            noted.everything = true;
        }
        if !noted.everything {
            noted.flags.extend(flags.iter().cloned());
        }
        if noted.everything || MANY < noted.flags.len() {
            *noted = Noted { flags: HashSet::new(), everything: true };
        }
        drop(noted);
        self.wake.notify_one();
    }

    /// Ready when there is a note.
    pub(crate) async fn left(&self) {
        self.wake.notified().await;
    }

    /// Takes all notes.
    pub(crate) fn take(&self) -> Noted {
        std::mem::take(&mut self.noted())
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When notes are read: once none came for a while, so that notes that come together are read together, and after a longer
/// while also when they go on coming. While they do, each pause is twice as long as the one before: the flags of a long
/// burst are read a few times, however many notes there are.
#[derive(Debug, Default)]
pub(crate) struct Debounce {
    first: Option<Instant>,
    last: Option<Instant>,
    /// How often notes were read that went on coming.
    rounds: u32,
}

/// How long it has to be quiet.
const QUIET: Duration = Duration::from_millis(100);

/// How long the first note of a burst waits at most, and the first one after each time that notes were read.
const LONGEST: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// After this it is another burst.
const OVER: Duration = Duration::from_secs(10);

impl Debounce {
    /// A note came.
    pub(crate) fn noted(&mut self, now: Instant) {
        let before = self.last.replace(now);
        if before.is_some_and(|it| OVER <= now.saturating_duration_since(it)) {
            self.rounds = 0;
        }
        self.first.get_or_insert(now);
    }

    /// When the notes are to be read, if there are any.
    pub(crate) fn due(&self) -> Option<Instant> {
        let round = usize::try_from(self.rounds).unwrap_or(usize::MAX);
        let [.., most] = LONGEST;
        let longest = LONGEST.get(round).copied().unwrap_or(most);
        Some((self.last? + QUIET).min(self.first? + longest))
    }

    /// They are being read.
    pub(crate) fn over(&mut self) {
        self.first = None;
        self.rounds = self.rounds.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
