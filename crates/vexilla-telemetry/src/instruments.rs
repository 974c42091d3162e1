//! Every instrument: its name, unit and description, and where its value comes from.
//!
//! There is one table for OpenTelemetry and Prometheus, so that both show the same.

use std::borrow::Cow;

use vexilla_domain::{ArchiveOutcome, BreakerState, CacheRead, Stats, WebhookOutcome};

use self::points::{
    by_word, cache, circuit_state, evaluations, failing, flag_evaluations, insertions, one, point,
    queue, reads, real, yes,
};
use crate::FlagCounts;
use crate::counts::Counts;

mod points;

/// What instruments are read from.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) stats: &'a Stats,
    pub(crate) counts: &'a Counts,
    pub(crate) flags: Option<&'a FlagCounts>,
}

/// An instrument whose value is read when it is shown.
pub(crate) struct Instrument {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) help: &'static str,
    pub(crate) read: Read,
}

/// How an instrument is read, which also says what it is.
#[derive(Clone, Copy)]
pub(crate) enum Read {
    /// Only grows.
    Counter(fn(&Reading<'_>) -> Vec<Point<u64>>),
    /// Goes up and down.
    Gauge(fn(&Reading<'_>) -> Vec<Point<f64>>),
}

/// One value, and what tells it from the other ones of its instrument.
pub(crate) struct Point<T> {
    pub(crate) labels: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) value: T,
}

/// An instrument that durations are recorded into.
pub(crate) struct Timer {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    /// Upper bounds, in seconds.
    pub(crate) bounds: &'static [f64],
}

/// The label that tells the outcomes of one thing apart.
pub(crate) const OUTCOME: &str = "outcome";
/// The unit of every timer.
pub(crate) const SECONDS: &str = "s";

const CALL_BOUNDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

pub(crate) const EVALUATION: Timer = Timer {
    name: "vexilla.evaluation.duration",
    help: "How long an evaluation by the rules held here took, of a sample of them.",
    bounds: &[1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 1e-4, 1e-3],
};

pub(crate) const REFRESH: Timer = Timer {
    name: "vexilla.refresh.duration",
    help: "How long a refresh of the rules took.",
    bounds: CALL_BOUNDS,
};

pub(crate) const REMOTE: Timer = Timer {
    name: "vexilla.remote.duration",
    help: "How long Flagr took for an evaluation or a batch of them.",
    bounds: CALL_BOUNDS,
};

pub(crate) const ARCHIVE: Timer = Timer {
    name: "vexilla.archive.duration",
    help: "How long a save into the archive took.",
    bounds: CALL_BOUNDS,
};

/// The counts of single flags.
pub(crate) const FLAG_EVALUATIONS: &str = "vexilla.flag.evaluations";

pub(crate) const INSTRUMENTS: &[Instrument] = &[
    Instrument {
        name: "vexilla.cache.hits",
        unit: "{evaluation}",
        help: "Evaluations decided from the rules held here or from an earlier answer of Flagr.",
        read: Read::Counter(|it| one(it.stats.hits())),
    },
    Instrument {
        name: "vexilla.cache.misses",
        unit: "{evaluation}",
        help: "Evaluations that Flagr was asked for, and those that nothing could decide.",
        read: Read::Counter(|it| one(it.stats.misses())),
    },
    Instrument {
        name: "vexilla.evaluations",
        unit: "{evaluation}",
        help: "Evaluations by who is to decide (local, remote, or none where nobody could), by who did, and by why it came out so.",
        read: Read::Counter(|it| it.stats.evaluations.iter().map(evaluations).collect()),
    },
    Instrument {
        name: FLAG_EVALUATIONS,
        unit: "{evaluation}",
        help: "Evaluations of the flags in most use; those of all others together as flag `other`.",
        read: Read::Counter(flag_evaluations),
    },
    Instrument {
        name: "vexilla.records.lost",
        unit: "{record}",
        help: "Data records lost because a decision was made here in place of Flagr.",
        read: Read::Counter(|it| one(it.stats.lost_records)),
    },
    Instrument {
        name: "vexilla.refresh.success",
        unit: "{refresh}",
        help: "Refreshes that succeeded.",
        read: Read::Counter(|it| one(it.stats.refreshes)),
    },
    Instrument {
        name: "vexilla.refresh.failure",
        unit: "{refresh}",
        help: "Refreshes that failed.",
        read: Read::Counter(|it| one(it.stats.failures)),
    },
    Instrument {
        name: "vexilla.refresh.consecutive_failures",
        unit: "{refresh}",
        help: "How many of the last refreshes failed in a row.",
        read: Read::Gauge(|it| one(f64::from(it.stats.consecutive_failures))),
    },
    Instrument {
        name: "vexilla.circuit.state",
        unit: "{state}",
        help: "The state of the breaker before Flagr: 0 closed, 1 open, 2 half-open.",
        read: Read::Gauge(circuit_state),
    },
    Instrument {
        name: "vexilla.circuit.transitions",
        unit: "{transition}",
        help: "How often the breaker before Flagr came into each state.",
        read: Read::Counter(|it| {
            let words = BreakerState::ALL.iter().map(|it| it.as_str());
            by_word("state", words, &it.counts.breaker)
        }),
    },
    Instrument {
        name: "vexilla.ruleset.age",
        unit: SECONDS,
        help: "How long ago the source last confirmed the rules.",
        read: Read::Gauge(|it| it.stats.age.iter().map(|age| point(age.as_secs_f64())).collect()),
    },
    Instrument {
        name: "vexilla.ruleset.stale",
        unit: "1",
        help: "Whether the last refresh failed, so that the rules are the last good ones: 0 or 1.",
        read: Read::Gauge(|it| one(yes(it.stats.stale))),
    },
    Instrument {
        name: "vexilla.ruleset.flags",
        unit: "{flag}",
        help: "Flags that are served.",
        read: Read::Gauge(|it| one(real(it.stats.flags as u64))),
    },
    Instrument {
        name: "vexilla.ruleset.document",
        unit: "By",
        help: "Size of the flags as a document, 0 when it is not kept.",
        read: Read::Gauge(|it| one(real(it.stats.document_bytes as u64))),
    },
    Instrument {
        name: "vexilla.flags.quarantined",
        unit: "{flag}",
        help: "Flags whose newest version is in error.",
        read: Read::Gauge(|it| one(real(it.stats.quarantined as u64))),
    },
    Instrument {
        name: "vexilla.flags.filtered",
        unit: "{flag}",
        help: "Flags that the filter keeps out.",
        read: Read::Gauge(|it| one(real(it.stats.savings.filtered_flags as u64))),
    },
    Instrument {
        name: "vexilla.remote.cache.reads",
        unit: "{read}",
        help: "Looks among Flagr's earlier answers, by what they found.",
        read: Read::Counter(|it| {
            let words = CacheRead::ALL.iter().map(|it| it.as_str());
            let reads = it.stats.remote_cache.map(|_| by_word(OUTCOME, words, &it.counts.cache));
            reads.unwrap_or_default()
        }),
    },
    Instrument {
        name: "vexilla.remote.cache.insertions",
        unit: "{insertion}",
        help: "Answers of Flagr that were to be kept, those that were not let in included.",
        read: Read::Counter(|it| cache(it.stats.remote_cache.as_ref(), insertions)),
    },
    Instrument {
        name: "vexilla.remote.cache.rejections",
        unit: "{insertion}",
        help: "Answers of Flagr that were not let in.",
        read: Read::Counter(|it| cache(it.stats.remote_cache.as_ref(), |it| it.rejected)),
    },
    Instrument {
        name: "vexilla.remote.cache.evictions",
        unit: "{eviction}",
        help: "Answers of Flagr that made room for others, or whose time was over.",
        read: Read::Counter(|it| cache(it.stats.remote_cache.as_ref(), |it| it.evicted)),
    },
    Instrument {
        name: "vexilla.remote.cache.entries",
        unit: "{answer}",
        help: "Answers of Flagr that are kept.",
        read: Read::Gauge(|it| cache(it.stats.remote_cache.as_ref(), |it| real(it.entries))),
    },
    Instrument {
        name: "vexilla.remote.cache.size",
        unit: "By",
        help: "Bytes of Flagr's answers that are kept.",
        read: Read::Gauge(|it| cache(it.stats.remote_cache.as_ref(), |it| real(it.bytes))),
    },
    Instrument {
        name: "vexilla.remote.cache.limit",
        unit: "By",
        help: "Bytes that Flagr's answers may take.",
        read: Read::Gauge(|it| cache(it.stats.remote_cache.as_ref(), |it| real(it.max_bytes))),
    },
    Instrument {
        name: "vexilla.bodies.reads",
        unit: "{read}",
        help: "Looks for a flag's rules where these are under a budget of memory, by what they found.",
        read: Read::Counter(|it| reads(it.stats.bodies.as_ref())),
    },
    Instrument {
        name: "vexilla.bodies.insertions",
        unit: "{insertion}",
        help: "Rules of flags that were to be held within the budget, those that were not let in included.",
        read: Read::Counter(|it| cache(it.stats.bodies.as_ref(), insertions)),
    },
    Instrument {
        name: "vexilla.bodies.rejections",
        unit: "{insertion}",
        help: "Rules of flags that were not let in.",
        read: Read::Counter(|it| cache(it.stats.bodies.as_ref(), |it| it.rejected)),
    },
    Instrument {
        name: "vexilla.bodies.evictions",
        unit: "{eviction}",
        help: "Rules of flags that made room for others.",
        read: Read::Counter(|it| cache(it.stats.bodies.as_ref(), |it| it.evicted)),
    },
    Instrument {
        name: "vexilla.bodies.entries",
        unit: "{flag}",
        help: "Flags whose rules are held within the budget.",
        read: Read::Gauge(|it| cache(it.stats.bodies.as_ref(), |it| real(it.entries))),
    },
    Instrument {
        name: "vexilla.bodies.size",
        unit: "By",
        help: "Bytes of the rules that are held within the budget.",
        read: Read::Gauge(|it| cache(it.stats.bodies.as_ref(), |it| real(it.bytes))),
    },
    Instrument {
        name: "vexilla.bodies.limit",
        unit: "By",
        help: "Bytes that those rules may take: the budget without what is set aside for those under way.",
        read: Read::Gauge(|it| cache(it.stats.bodies.as_ref(), |it| real(it.max_bytes))),
    },
    Instrument {
        name: "vexilla.archive.saves",
        unit: "{save}",
        help: "Saves into the archive, by what came of them.",
        read: Read::Counter(|it| {
            let words = ArchiveOutcome::ALL.iter().map(|it| it.as_str());
            by_word(OUTCOME, words, &it.counts.archive)
        }),
    },
    Instrument {
        name: "vexilla.archive.failing",
        unit: "1",
        help: "Whether an archive did not do what it was asked last: 0 or 1 for each.",
        read: Read::Gauge(|it| it.stats.archives.iter().map(failing).collect()),
    },
    Instrument {
        name: "vexilla.archive.leads",
        unit: "1",
        help: "Whether this instance asks the source for all that share its archive: 0 or 1.",
        read: Read::Gauge(|it| it.stats.leads.iter().map(|it| point(yes(*it))).collect()),
    },
    Instrument {
        name: "vexilla.webhook.received",
        unit: "{request}",
        help: "Calls of the webhook, by what came of them.",
        read: Read::Counter(|it| {
            let words = WebhookOutcome::ALL.iter().map(|it| it.as_str());
            by_word(OUTCOME, words, &it.counts.webhook)
        }),
    },
    Instrument {
        name: "vexilla.exposures.sent",
        unit: "{exposure}",
        help: "Exposures that reached Flagr.",
        read: Read::Counter(|it| queue(it.stats.exposures.as_ref(), |it| it.sent)),
    },
    Instrument {
        name: "vexilla.exposures.dropped",
        unit: "{exposure}",
        help: "Exposures that were lost, counted from when the spool was made.",
        read: Read::Counter(|it| queue(it.stats.exposures.as_ref(), |it| it.dropped)),
    },
    Instrument {
        name: "vexilla.exposures.refused",
        unit: "{exposure}",
        help: "Exposures that were lost since Flagr refused them one by one.",
        read: Read::Counter(|it| queue(it.stats.exposures.as_ref(), |it| it.row_errors)),
    },
    Instrument {
        name: "vexilla.exposures.rejected",
        unit: "{exposure}",
        help: "Exposures that were not taken for want of room; whoever reported them was told.",
        read: Read::Counter(|it| queue(it.stats.exposures.as_ref(), |it| it.rejected)),
    },
    Instrument {
        name: "vexilla.exposures.queued",
        unit: "{exposure}",
        help: "Exposures that wait.",
        read: Read::Gauge(|it| queue(it.stats.exposures.as_ref(), |it| real(it.queued))),
    },
    Instrument {
        name: "vexilla.exposures.queue.size",
        unit: "By",
        help: "Bytes of the exposures that wait, in memory and on the disk.",
        read: Read::Gauge(|it| queue(it.stats.exposures.as_ref(), |it| real(it.bytes))),
    },
    Instrument {
        name: "vexilla.replays.sent",
        unit: "{evaluation}",
        help: "Evaluations decided here that reached Flagr, which records them.",
        read: Read::Counter(|it| queue(it.stats.replays.as_ref(), |it| it.sent)),
    },
    Instrument {
        name: "vexilla.replays.dropped",
        unit: "{evaluation}",
        help: "Evaluations decided here for Flagr to record that were lost, counted from when the spool was made.",
        read: Read::Counter(|it| queue(it.stats.replays.as_ref(), |it| it.dropped)),
    },
    Instrument {
        name: "vexilla.replays.refused",
        unit: "{evaluation}",
        help: "Evaluations decided here for Flagr to record that were lost since Flagr refused them one by one.",
        read: Read::Counter(|it| queue(it.stats.replays.as_ref(), |it| it.row_errors)),
    },
    Instrument {
        name: "vexilla.replays.queued",
        unit: "{evaluation}",
        help: "Evaluations decided here for Flagr to record that wait.",
        read: Read::Gauge(|it| queue(it.stats.replays.as_ref(), |it| real(it.queued))),
    },
    Instrument {
        name: "vexilla.replays.queue.size",
        unit: "By",
        help: "Bytes of the evaluations that wait for Flagr to record them, in memory and on the disk.",
        read: Read::Gauge(|it| queue(it.stats.replays.as_ref(), |it| real(it.bytes))),
    },
];
