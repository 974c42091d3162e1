//! Which signed notices were taken already.

use std::collections::{HashSet, VecDeque};
use std::time::SystemTime;

/// The signatures of notices that could be sent again, as many as there is room for.
#[derive(Debug)]
pub(super) struct Replays {
    room: usize,
    known: HashSet<[u8; 32]>,
    /// In the order in which they came, with the time from which on the notice is too old anyway.
    order: VecDeque<([u8; 32], SystemTime)>,
}

impl Replays {
    pub(super) fn new(room: usize) -> Self {
        Self { room, known: HashSet::new(), order: VecDeque::new() }
    }

    /// From now on there is room for so many.
    pub(super) fn resize(&mut self, room: usize) {
        self.room = room;
        while room < self.order.len() {
            self.forget_oldest();
        }
    }

    /// Remembers a signature until `end`; tells whether it is new. Without room the oldest one is forgotten.
    pub(super) fn remember(&mut self, digest: [u8; 32], end: SystemTime, now: SystemTime) -> bool {
        while self.order.front().is_some_and(|(_, end)| *end < now) {
            self.forget_oldest();
        }
        if self.known.contains(&digest) {
            return false;
        }
        if self.room == 0 {
            return true;
        }
        while self.room <= self.order.len() {
            self.forget_oldest();
        }
        self.known.insert(digest);
        self.order.push_back((digest, end));
        true
    }

    fn forget_oldest(&mut self) {
        if let Some((digest, _)) = self.order.pop_front() {
            self.known.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests;
