//! What a client counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vexilla_domain::{Freshness, Level, Problem, Reason, Revision};

use crate::shared::{REASONS, Shared};

/// A client's counts and the state of its rules, taken at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Where the flags come from.
    pub source: Box<str>,
    /// How many flags are served.
    pub flags: usize,
    /// How many flags are in error.
    pub quarantined: usize,
    /// The rules' revision; `0.0` before anything was loaded.
    pub revision: Revision,
    /// When the source last confirmed the rules.
    pub refreshed_at: Option<SystemTime>,
    /// Whether the last refresh failed.
    pub stale: bool,
    /// Refreshes that succeeded.
    pub refreshes: u64,
    /// Refreshes that failed.
    pub failures: u64,
    /// How many of the last refreshes failed in a row.
    pub consecutive_failures: u32,
    /// How long the last refresh took.
    pub last_refresh_duration: Duration,
    /// Why the last refresh failed, if it did.
    pub last_error: Option<Box<str>>,
    /// Evaluations by reason; reasons that did not occur are left out.
    pub evaluations: Vec<(Reason, u64)>,
}

impl Stats {
    pub(crate) fn of(shared: &Shared, source: String) -> Self {
        let published = shared.cell.load();
        let Freshness { revision, refreshed_at_ms, stale } = published.freshness();
        let counts = &shared.counts;
        let evaluations =
            REASONS.into_iter().zip(counts.evaluations()).filter(|(_, count)| *count > 0).collect();
        Self {
            source: source.into(),
            flags: published.ruleset.len(),
            quarantined: quarantined(&published.problems),
            revision,
            refreshed_at: (refreshed_at_ms > 0)
                .then(|| UNIX_EPOCH + Duration::from_millis(refreshed_at_ms)),
            stale,
            refreshes: counts.refreshes(),
            failures: counts.failures(),
            consecutive_failures: counts.consecutive_failures(),
            last_refresh_duration: counts.last_duration(),
            last_error: counts.last_error(),
            evaluations,
        }
    }

    /// All evaluations.
    pub fn total(&self) -> u64 {
        self.evaluations.iter().map(|(_, count)| count).sum()
    }

    /// Evaluations that the rules decided.
    pub fn hits(&self) -> u64 {
        self.total() - self.misses()
    }

    /// Evaluations that nothing here could decide.
    pub fn misses(&self) -> u64 {
        let missed = |reason: &Reason| {
            matches!(
                reason,
                Reason::NotFound | Reason::Fallback | Reason::NeedsRemote | Reason::Error
            )
        };
        self.evaluations.iter().filter(|(reason, _)| missed(reason)).map(|(_, count)| count).sum()
    }
}

/// How many flags have an error.
fn quarantined(problems: &[Problem]) -> usize {
    let errors = problems.iter().filter(|it| it.level == Level::Error);
    let mut flags: Vec<_> = errors.map(|it| (it.flag_id, &it.flag)).collect();
    flags.sort_unstable();
    flags.dedup();
    flags.len()
}
