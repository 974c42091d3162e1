//! A breaker that threads share.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::news::News;
use crate::policy::Policy;
use crate::{BreakerConfig, ConfigError, Rejected, State, Transition};

/// A circuit breaker. A clone is another handle on the same one.
///
/// The times that it is given need not be in order: threads that read the clock and then wait for each other are fine.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    /// The policy's `calm_era`, or [`NOT_CALM`]: what calls need to know as long as all goes well.
    // INVARIANT: written under the lock only, before it is released.
    calm_era: AtomicU64,
    policy: Mutex<Policy>,
    rejected: AtomicU64,
    news: Option<News>,
}

/// Eras are counted from zero and never get here.
const NOT_CALM: u64 = u64::MAX;

/// How often something happened, since the breaker was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls refused.
    pub rejected: u64,
    /// How often the breaker opened, from `Closed` or again from `HalfOpen`.
    pub opened: u64,
}

impl Breaker {
    /// A closed breaker.
    ///
    /// # Errors
    ///
    /// A threshold or duration of zero.
    pub fn new(config: BreakerConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self::build(config, None))
    }

    /// A closed breaker that tells this function of every change, in order, one at a time.
    ///
    /// It is called by whoever causes a change, before that caller goes on, and so it should be quick. It may use the
    /// breaker. If two threads cause changes at the same time, one of them tells both. If it panics, so does that call.
    ///
    /// # Errors
    ///
    /// A threshold or duration of zero.
    pub fn with_observer(
        config: BreakerConfig,
        observer: impl Fn(Transition) + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self::build(config, Some(News::new(observer))))
    }

    /// Asks for a call to be let through. Say what became of it through the permit.
    ///
    /// # Errors
    ///
    /// In `Open`, and in `HalfOpen` to everybody but the probe.
    pub fn admit(&self, now: Instant) -> Result<Permit, Rejected> {
        let calm_era = self.0.calm_era.load(Ordering::Acquire);
        let admitted =
            if calm_era == NOT_CALM { self.0.step(|it| it.admit(now)) } else { Ok(calm_era) };
        match admitted {
            Ok(era) => Ok(Permit { breaker: self.clone(), era }),
            Err(rejected) => {
                self.count_rejected();
                Err(rejected)
            }
        }
    }

    /// Why a call would be refused now, if it would be. Admits nobody and counts nothing.
    pub fn refusal(&self, now: Instant) -> Option<Rejected> {
        if self.0.calm_era.load(Ordering::Acquire) != NOT_CALM {
            return None;
        }
        self.0.step(|it| it.refusal(now))
    }

    /// The state at this time.
    ///
    /// It stays `Open` after the open time is over, until a call comes to be the probe.
    pub fn state(&self, now: Instant) -> State {
        self.0.step(|it| it.state(now))
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        Counts {
            rejected: self.0.rejected.load(Ordering::Relaxed),
            opened: self.0.policy().opened(),
        }
    }

    pub(crate) fn count_rejected(&self) {
        self.0.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// `config` has been checked.
    fn build(config: BreakerConfig, news: Option<News>) -> Self {
        let policy = Policy::new(config);
        Self(Arc::new(Shared {
            calm_era: AtomicU64::new(policy.calm_era().unwrap_or(NOT_CALM)),
            policy: Mutex::new(policy),
            rejected: AtomicU64::new(0),
            news,
        }))
    }
}

/// A closed breaker with the default configuration.
impl Default for Breaker {
    fn default() -> Self {
        Self::build(BreakerConfig::default(), None)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Breaker").field(&*self.0.policy()).finish()
    }
}

impl Shared {
    /// Asks the policy under the lock, then tells what that changed.
    fn step<T>(&self, ask: impl FnOnce(&mut Policy) -> T) -> T {
        let mut policy = self.policy();
        let answer = ask(&mut policy);
        self.calm_era.store(policy.calm_era().unwrap_or(NOT_CALM), Ordering::Release);
        let changes = policy.take_changes();
        let Some(news) = self.news.as_ref().filter(|_| !changes.is_empty()) else {
            return answer;
        };
        news.add(changes); // still under the lock, which keeps them in order
        drop(policy);
        news.tell();
        answer
    }

    /// A panic under the lock cannot leave the policy half changed: it calls nothing of others.
    fn policy(&self) -> MutexGuard<'_, Policy> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Permission for one call. Say what became of it.
///
/// A permit that is dropped says nothing in `Closed`, and a probe's counts as a failure.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once was for no call"]
pub struct Permit {
    breaker: Breaker,
    era: u64,
}

impl Permit {
    /// The call succeeded.
    pub fn succeeded(self, now: Instant) {
        if !self.is_calm() {
            self.breaker.0.step(|it| it.succeeded(self.era, now));
        }
    }

    /// The call failed.
    pub fn failed(self, now: Instant) {
        self.breaker.0.step(|it| it.failed(self.era, now));
    }

    /// Whether neither a success nor a drop would change anything.
    fn is_calm(&self) -> bool {
        self.breaker.0.calm_era.load(Ordering::Acquire) == self.era
    }
}

/// Runs after a result too, and changes nothing then: a probe's result has ended its era, any other drop is neutral.
impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_calm() {
            self.breaker.0.step(|it| it.dropped(self.era));
        }
    }
}

#[cfg(test)]
mod tests;
