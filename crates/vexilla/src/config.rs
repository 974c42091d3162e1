//! A client's settings.

use std::time::Duration;

use vexilla_domain::{FlagFilter, Needs};

use crate::error::ConfigError;
use crate::exposure_config::ExposureConfig;

/// How a client behaves. [`Config::default`] is right for most.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How often the source is asked whether anything changed, give or take 10 %. Default 5 minutes.
    pub refresh_interval: Duration,
    /// How often all flags are read although nothing seems to have changed: a few changes do not show otherwise. Default
    /// 15 minutes.
    pub full_refresh_interval: Duration,
    /// How long the start may take to load flags. Default 10 seconds.
    pub initial_timeout: Duration,
    /// What a start does that could not load flags. Default: it fails.
    pub start: StartPolicy,
    /// Whether the flags are kept as a document too, for [`Client::export`](crate::Client::export) and the sidecar.
    /// Default: not, which saves their size in memory.
    pub export: ExportPolicy,
    /// Who decides flags in which an entity's bucket takes part. Default: Flagr, where there is one.
    pub rollouts: Rollouts,
    /// Who decides flags whose evaluations Flagr records. Default: Flagr, where there is one.
    pub records: Records,
    /// How exposures are kept and sent.
    pub exposures: ExposureConfig,
    /// Which flags are kept. Default: all.
    pub filter: FlagFilter,
    /// What stands in where nothing can decide. Default: off.
    pub fallback: Fallback,
    /// How old rules may be, since the source confirmed them last, before a fallback applies instead. Default: `None`, they
    /// are served for ever.
    pub max_staleness: Option<Duration>,
    /// How often, at most, an unknown key makes the client look for changes. Default 10 seconds.
    pub miss_interval: Duration,
    /// How long the evaluation of an unknown key waits for that. Default 1 second.
    pub miss_timeout: Duration,
    /// How long a call with [`Consistency::Strict`] waits for its look. Default 5 seconds.
    pub strict_timeout: Duration,
    /// Whether each evaluation is an event of `tracing` by OpenTelemetry's conventions for feature flags, of level debug
    /// and the target `vexilla::feature_flag`. Default: not; an event costs many times the evaluation.
    pub flag_events: FlagEvents,
}

/// Whether evaluations are events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlagEvents {
    /// They are not.
    #[default]
    Off,
    /// They are, without whom the flag was evaluated for.
    On,
    /// They are, with the entity's id.
    WithEntity,
}

/// What a start does that could not load flags in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartPolicy {
    /// It fails.
    #[default]
    RequireFlags,
    /// It succeeds without flags; they are served once a later refresh brings them.
    ComeUpEmpty,
}

/// Whether the flags are kept as a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExportPolicy {
    /// Only compiled.
    #[default]
    Drop,
    /// As Flagr's export too.
    Keep,
}

/// Who decides flags in which an entity's bucket takes part: partial rollouts and several variants.
///
/// Both give the same answers. It is about Flagr's own counts of evaluations, which miss what is decided here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rollouts {
    /// Flagr, asked for each evaluation; the rules held here while it cannot be.
    #[default]
    Remote,
    /// The rules held here, with Flagr's buckets, bit for bit.
    Local,
}

/// Who decides flags whose evaluations Flagr records ("data records").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Records {
    /// Flagr, which records the evaluation. While it cannot be asked, the rules held here, and the record is lost.
    #[default]
    Remote,
    /// The rules held here. The same is then asked of Flagr in the background, which records it: with the time at which
    /// it is asked, and with the variant that it finds then. An entity without an id gets another random one. Flagr may
    /// come to record an evaluation more than once, as for [`Client::expose`](crate::Client::expose); what is lost is
    /// counted in [`Stats::replays`](vexilla_domain::Stats::replays).
    Replay,
    /// The rules held here. Nothing is recorded.
    Off,
}

/// What stands in where nothing can decide: the flag is unknown or filtered out, in error from the start, nothing is
/// loaded yet, the rules are too old, or only Flagr could decide and does not answer.
///
/// A default that a call brings along goes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fallback {
    /// The flag counts as on.
    FailOpen,
    /// The flag counts as off.
    #[default]
    FailClosed,
    /// An error.
    Error,
}

/// How sure a call wants to be that its rules are the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// The rules as they are held: never older than the refresh interval, while Flagr is there.
    #[default]
    Eventual,
    /// The rules after one more look for changes, which begins after the call. Calls that come together share it. In an
    /// outage it decides by the rules that are held.
    Strict,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            refresh_interval: Duration::from_secs(5 * 60),
            full_refresh_interval: Duration::from_secs(15 * 60),
            initial_timeout: Duration::from_secs(10),
            start: StartPolicy::default(),
            export: ExportPolicy::default(),
            rollouts: Rollouts::default(),
            records: Records::default(),
            exposures: ExposureConfig::default(),
            filter: FlagFilter::default(),
            fallback: Fallback::default(),
            max_staleness: None,
            miss_interval: Duration::from_secs(10),
            miss_timeout: Duration::from_secs(1),
            strict_timeout: Duration::from_secs(5),
            flag_events: FlagEvents::default(),
        }
    }
}

/// The longest time that a setting may have.
const MOST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Config {
    /// What makes a flag Flagr's to decide, where there is one to ask.
    pub(crate) fn needs_flagr(&self) -> Needs {
        let bucket = match self.rollouts {
            Rollouts::Remote => Needs::BUCKET,
            Rollouts::Local => Needs::NOTHING,
        };
        let record = match self.records {
            Records::Remote => Needs::RECORD,
            Records::Replay | Records::Off => Needs::NOTHING,
        };
        bucket.and(record).and(Needs::INJECTION).and(Needs::REPAIR)
    }

    /// Refuses what cannot work, as a start does.
    ///
    /// # Errors
    ///
    /// The first setting that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let durations = [
            ("refresh_interval", self.refresh_interval),
            ("full_refresh_interval", self.full_refresh_interval),
            ("initial_timeout", self.initial_timeout),
            ("max_staleness", self.max_staleness.unwrap_or(MOST)),
            ("miss_interval", self.miss_interval),
            ("miss_timeout", self.miss_timeout),
            ("strict_timeout", self.strict_timeout),
        ];
        for (field, value) in durations {
            if value.is_zero() {
                return Err(ConfigError::new(field, "`0s` must be longer than zero"));
            }
            // Points in time further off than this cannot be told by every clock.
            if MOST < value {
                let reason = format!("`{}s` must be at most ten years", value.as_secs());
                return Err(ConfigError::new(field, reason));
            }
        }
        self.exposures.check()
    }
}
