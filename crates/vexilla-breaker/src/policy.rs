//! The state machine: no lock, no clock, nobody who is told.

use std::fmt;
use std::time::{Duration, Instant};

use crate::{BreakerConfig, Transition};

/// What a breaker does with calls. There will be no other states, so a `match` may name them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Every call is let through.
    Closed,
    /// Every call is refused.
    Open,
    /// One call, the probe, has been let through; every other call is refused until it answers.
    HalfOpen,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// A breaker refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused after too many failures, try again in {retry_after:.1?}")]
pub struct Rejected {
    retry_after: Duration,
}

impl Rejected {
    /// How long asking again is useless; never zero.
    ///
    /// In `Open` until the next probe is due. In `HalfOpen` until the probe's limit, though it may answer before.
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

/// The state machine. Numbers its eras: a permit carries the number of the era that it was given in.
#[derive(Debug)]
pub(crate) struct Policy {
    config: BreakerConfig,
    phase: Phase,
    era: u64,
    opened: u64,
    /// What changed since somebody asked.
    changes: Vec<Transition>,
}

/// A [`State`] with what it needs to know.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures: u32 },
    Open { since: Instant },
    HalfOpen { since: Instant },
}

impl Phase {
    fn state(self) -> State {
        match self {
            Self::Closed { .. } => State::Closed,
            Self::Open { .. } => State::Open,
            Self::HalfOpen { .. } => State::HalfOpen,
        }
    }
}

impl Policy {
    /// Closed. `config` has been checked.
    pub(crate) fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            phase: Phase::Closed { failures: 0 },
            era: 0,
            opened: 0,
            changes: Vec::new(),
        }
    }

    /// Lets a call through and says in which era.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<u64, Rejected> {
        if let Some(rejected) = self.refusal(now) {
            return Err(rejected);
        }
        // INVARIANT: not refused in `Open` means that its time is over, and in `HalfOpen` everybody is refused.
        if let Phase::Open { .. } = self.phase {
            // Open → HalfOpen, probe: this call is it.
            self.enter(Phase::HalfOpen { since: now }, now);
        }
        Ok(self.era)
    }

    /// A call admitted in `era` succeeded.
    pub(crate) fn succeeded(&mut self, era: u64, now: Instant) {
        self.settle(now);
        if era != self.era {
            return;
        }
        match self.phase {
            Phase::Closed { .. } => self.phase = Phase::Closed { failures: 0 },
            // HalfOpen → Closed, recover.
            Phase::HalfOpen { .. } => self.enter(Phase::Closed { failures: 0 }, now),
            Phase::Open { .. } => {} // no call is admitted in this state
        }
    }

    /// A call admitted in `era` failed.
    pub(crate) fn failed(&mut self, era: u64, now: Instant) {
        self.settle(now);
        if era != self.era {
            return;
        }
        match self.phase {
            Phase::Closed { failures } => {
                let failures = failures.saturating_add(1);
                if failures < self.config.failure_threshold {
                    self.phase = Phase::Closed { failures };
                } else {
                    // Closed → Open, trip.
                    self.open(now);
                }
            }
            // HalfOpen → Open, relapse.
            Phase::HalfOpen { .. } => self.open(now),
            Phase::Open { .. } => {} // no call is admitted in this state
        }
    }

    /// Nobody will say what became of a call admitted in `era`.
    ///
    /// Nobody says either when that was, so a probe counts as failed when it was admitted.
    pub(crate) fn dropped(&mut self, era: u64) {
        if era != self.era {
            return;
        }
        if let Phase::HalfOpen { since } = self.phase {
            // HalfOpen → Open, abandon.
            self.open(since);
        }
    }

    /// Why a call would be refused now, if it would be.
    pub(crate) fn refusal(&mut self, now: Instant) -> Option<Rejected> {
        self.settle(now);
        let (since, wait) = match self.phase {
            Phase::Closed { .. } => return None,
            Phase::Open { since } => (since, self.config.open_for),
            Phase::HalfOpen { since } => (since, self.config.half_open_limit),
        };
        let retry_after = wait.saturating_sub(now.saturating_duration_since(since));
        (!retry_after.is_zero()).then_some(Rejected { retry_after })
    }

    /// The state at this time.
    pub(crate) fn state(&mut self, now: Instant) -> State {
        self.settle(now);
        self.phase.state()
    }

    /// How often it opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// The current era if calls are let through and none of the last ones failed: a success then changes nothing.
    pub(crate) fn calm_era(&self) -> Option<u64> {
        matches!(self.phase, Phase::Closed { failures: 0 }).then_some(self.era)
    }

    /// What changed since this was asked last, oldest first.
    pub(crate) fn take_changes(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.changes)
    }

    /// Does what time alone does.
    fn settle(&mut self, now: Instant) {
        if let Phase::HalfOpen { since } = self.phase
            && self.config.half_open_limit <= now.saturating_duration_since(since)
        {
            // HalfOpen → Open, lapse: at the limit, however late it is noticed.
            self.open(since.checked_add(self.config.half_open_limit).unwrap_or(now));
        }
    }

    fn open(&mut self, at: Instant) {
        self.opened += 1;
        self.enter(Phase::Open { since: at }, at);
    }

    fn enter(&mut self, phase: Phase, at: Instant) {
        self.changes.push(Transition { from: self.phase.state(), to: phase.state(), at });
        self.phase = phase;
        self.era += 1;
    }
}
