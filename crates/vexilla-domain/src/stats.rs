//! What a client counts, and whether it can decide.

use std::time::{Duration, SystemTime};

use crate::{Reason, Revision, Source};

/// A client's counts and the state of its rules, taken at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Where flags are asked for.
    pub source: Box<str>,
    /// Where the flags that are served came from: the source, or an archive.
    pub origin: Box<str>,
    /// How many flags are served.
    pub flags: usize,
    /// How many flags are in error.
    pub quarantined: usize,
    /// What a filter keeps out.
    pub savings: MemorySavings,
    /// The rules' revision; `0.0` before anything was loaded.
    pub revision: Revision,
    /// Flagr's largest snapshot id that is known to be in the rules, 0 when unknown.
    pub max_snapshot_id: u64,
    /// When the source last confirmed the rules.
    pub refreshed_at: Option<SystemTime>,
    /// How long ago that was.
    pub age: Option<Duration>,
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
    /// Why the last save into the archive failed, if it did.
    pub archive_error: Option<Box<str>>,
    /// Whether this instance asks the source for the fleet that shares its archive; `None` where nobody shares one.
    pub leads: Option<bool>,
    /// The archives, the one that others share first.
    pub archives: Vec<ArchiveLayer>,
    /// The breaker before Flagr, if there is one: `closed`, `open` or `half-open`.
    pub breaker: Option<Box<str>>,
    /// Evaluations by who decided and why; pairs that did not occur are left out.
    pub evaluations: Vec<(Source, Reason, u64)>,
    /// Data records that were lost because a decision was made here in place of Flagr.
    pub lost_records: u64,
    /// The cache of Flagr's answers, if there is one.
    pub remote_cache: Option<CacheCounts>,
    /// What flags are made of, where that is under a budget of memory.
    pub bodies: Option<CacheCounts>,
    /// Bytes of the flags as a document, if it is kept.
    pub document_bytes: usize,
    /// Exposures on their way to Flagr, if there is one.
    pub exposures: Option<QueueCounts>,
    /// Evaluations on their way to Flagr, which is to record them, if it is.
    pub replays: Option<QueueCounts>,
}

impl Stats {
    /// All evaluations.
    pub fn total(&self) -> u64 {
        self.evaluations.iter().map(|(.., count)| count).sum()
    }

    /// Evaluations that were decided from the rules or a cached answer.
    pub fn hits(&self) -> u64 {
        self.total() - self.misses()
    }

    /// Evaluations that Flagr was asked for, and those that nothing could decide.
    pub fn misses(&self) -> u64 {
        let undecided = |source: Source, reason: Reason| {
            matches!(source, Source::Remote | Source::Fallback) || !reason.is_answer()
        };
        let found = self.evaluations.iter().filter(|it| undecided(it.0, it.1));
        found.map(|(.., count)| count).sum()
    }

    /// Evaluations that came out for this reason.
    pub fn by_reason(&self, reason: Reason) -> u64 {
        self.evaluations.iter().filter(|it| it.1 == reason).map(|(.., count)| count).sum()
    }

    /// Evaluations that this one decided.
    pub fn by_source(&self, source: Source) -> u64 {
        self.evaluations.iter().filter(|it| it.0 == source).map(|(.., count)| count).sum()
    }
}

/// One archive, as it was found last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ArchiveLayer {
    /// The archive in a few words: `redis 127.0.0.1:6379/0`.
    pub name: Box<str>,
    /// Why it did not do what it was asked last, if it did not.
    pub error: Option<Box<str>>,
    /// Whether this instance asks the source for all that share it; `None` where nobody shares it.
    pub leads: Option<bool>,
}

impl ArchiveLayer {
    /// An archive that nobody shares, and of which nothing bad is known.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// What a bounded cache counts, taken at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheCounts {
    /// Reads that found their key.
    pub hits: u64,
    /// Those of the hits whose entry was beyond its time, and was given because nothing newer could be had.
    pub stale_hits: u64,
    /// Reads that did not. What may not be kept is not counted.
    pub misses: u64,
    /// Insertions, replacements included, that were let in.
    pub admitted: u64,
    /// Insertions that were not: too large, wanted less often than what they would have displaced, or more at once than
    /// could be decided.
    pub rejected: u64,
    /// Entries that made room for others, or whose time was over. What flags are made of is not evicted for its age, but
    /// made anew when it is wanted.
    pub evicted: u64,
    /// Entries that are held.
    pub entries: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// What they may take, in bytes.
    pub max_bytes: u64,
}

/// What became of what was taken for delivery, taken at one moment: it is queued, sent, or dropped. Metrics show the same
/// numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueCounts {
    /// Those that wait.
    pub queued: u64,
    /// How many bytes those take, in memory and on the disk.
    pub bytes: u64,
    /// Those that Flagr took.
    pub sent: u64,
    /// Those that were lost: for want of room, damaged on the disk, still waiting at the end, or refused by Flagr. With a
    /// spool this counts on over a restart.
    pub dropped: u64,
    /// Those of the dropped that Flagr refused, one by one.
    pub row_errors: u64,
    /// Those that were never taken: for want of room, since the disk failed, or since Flagr has no path for them. Whoever
    /// reported them was told.
    pub rejected: u64,
    /// Why the last delivery failed, if it did.
    pub last_error: Option<Box<str>>,
}

/// What a filter saves. All zero for no flags.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MemorySavings {
    /// How many flags the source has.
    pub total_flags: usize,
    /// How many are kept.
    pub cached_flags: usize,
    /// How many the filter keeps out.
    pub filtered_flags: usize,
    /// How many bytes those take in Flagr's export.
    pub bytes_saved: u64,
    /// How many percent of the flags that is, 0 to 100.
    pub percent_filtered: f64,
}

/// Whether a client can decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Why it cannot, in words; empty when it can.
    pub reasons: Vec<Box<str>>,
}

impl Readiness {
    /// Whether it can.
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}
