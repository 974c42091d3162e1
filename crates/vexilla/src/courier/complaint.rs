//! What the log is told of again and again, and then once a minute at most.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::counts::Counts;

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(60);

/// How much went wrong in one way since that was last said.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    unsaid: u64,
    why: Box<str>,
    quiet_until: Option<Instant>,
}

impl Complaint {
    /// It went wrong so often more. The last reason is the one that is said.
    pub(super) fn add(&mut self, count: u64, why: &str) {
        if 0 < count {
            self.unsaid += count;
            self.why = why.into();
        }
    }

    /// When something is to be said, which may be over already. `None` if there is nothing.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (0 < self.unsaid).then(|| self.quiet_until.unwrap_or(now))
    }

    /// How often it went wrong and why, if that is to be said now.
    pub(super) fn said(&mut self, now: Instant) -> Option<(u64, Box<str>)> {
        if self.unsaid == 0 || self.quiet_until.is_some_and(|it| now < it) {
            return None;
        }
        self.quiet_until = Some(now + QUIET);
        Some(self.now())
    }

    /// It is well again: what was not said is not said any more.
    pub(super) fn forget(&mut self) {
        self.unsaid = 0;
    }

    /// How often it went wrong and why, however short ago that was said.
    pub(super) fn last_word(&mut self) -> Option<(u64, Box<str>)> {
        (0 < self.unsaid).then(|| self.now())
    }

    fn now(&mut self) -> (u64, Box<str>) {
        (std::mem::take(&mut self.unsaid), std::mem::take(&mut self.why))
    }
}

/// Why most are dropped.
pub(super) const NO_ROOM: &str = "there is no more room";

/// Why none is taken although there is room.
pub(super) const NOT_OFFERED: &str = "Flagr has no path for them";

/// What may go wrong with each single record, and would fill the log.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    pub(super) dropped: Complaint,
    pub(super) not_taken: Complaint,
    pub(super) refused: Complaint,
    /// Flagr has no path for any.
    pub(super) not_offered: Complaint,
}

impl Complaints {
    /// Takes over what there was no room for, and what was turned away.
    pub(super) fn note(&mut self, counts: &Counts) {
        let [dropped, not_taken, turned_away] = counts.untold();
        self.dropped.add(dropped, NO_ROOM);
        self.not_taken.add(not_taken, "too many are waiting");
        self.not_taken.add(turned_away, NOT_OFFERED);
    }

    /// Says what is to be said. Gives when there is more to say: until then nobody need wake us.
    pub(super) fn say(&mut self, what: &str, now: Instant) -> Option<Instant> {
        let said = [self.dropped.said(now), self.not_taken.said(now), self.refused.said(now)];
        write(what, said);
        if let Some((_, why)) = self.not_offered.said(now) {
            warn!(error = %why, "Flagr has no path for {what}: until it has, no more are taken");
        }
        let all = [&self.dropped, &self.not_taken, &self.refused, &self.not_offered];
        let due = all.map(|it| it.due(now));
        due.into_iter().flatten().min()
    }

    /// Says what was not said yet, at the end.
    pub(super) fn last_words(&mut self, what: &str) {
        let all = [&mut self.dropped, &mut self.not_taken, &mut self.refused];
        write(what, all.map(Complaint::last_word));
    }
}

fn write(what: &str, [dropped, not_taken, refused]: [Option<(u64, Box<str>)>; 3]) {
    if let Some((count, why)) = dropped {
        warn!(count, "{what} are dropped: {why}");
    }
    if let Some((count, why)) = not_taken {
        warn!(count, error = %why, "{what} are not taken");
    }
    if let Some((count, why)) = refused {
        warn!(count, error = %why, "Flagr refuses {what}");
    }
}

#[cfg(test)]
mod tests;
