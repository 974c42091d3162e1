//! Telling an observer what changed: in order, one at a time, and without a lock that a breaker needs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::State;

/// A breaker changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Since when, which may be a moment ago: see the table in the crate's documentation.
    pub at: Instant,
}

/// An observer, and what it has not been told yet.
pub(crate) struct News {
    observer: Box<dyn Fn(Transition) + Send + Sync>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    untold: VecDeque<Transition>,
    /// Whether a thread is telling. It goes on until the queue is empty.
    telling: bool,
}

impl News {
    pub(crate) fn new(observer: impl Fn(Transition) + Send + Sync + 'static) -> Self {
        Self { observer: Box::new(observer), queue: Mutex::default() }
    }

    /// Takes news, tells none yet.
    pub(crate) fn add(&self, changes: Vec<Transition>) {
        self.queue().untold.extend(changes);
    }

    /// Tells everything there is, unless somebody already does: then that thread tells ours too.
    ///
    /// The observer may use the breaker. What comes of it is told after it has returned.
    pub(crate) fn tell(&self) {
        let mut queue = self.queue();
        if queue.telling || queue.untold.is_empty() {
            return;
        }
        queue.telling = true;
        drop(queue);
        let telling = Telling(self);
        while let Some(transition) = self.next() {
            (self.observer)(transition);
        }
        std::mem::forget(telling); // over already, and another thread may be telling by now
    }

    /// The next one to tell. After the last, telling is over in the same step, so that nothing stays behind.
    fn next(&self) -> Option<Transition> {
        let mut queue = self.queue();
        let next = queue.untold.pop_front();
        queue.telling = next.is_some();
        next
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets others tell again after an observer that panicked.
struct Telling<'a>(&'a News);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.queue().telling = false;
    }
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
