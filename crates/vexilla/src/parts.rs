//! What a client is made of.

use std::sync::Arc;

use vexilla_breaker::Breaker;
use vexilla_domain::{Clock, ExposureSink, FlagArchive, FlagSource, Observer, RemoteEvaluator};
use vexilla_telemetry::FlagCounts;

use crate::clock::SystemClock;
use crate::guarded::Guarded;
use crate::observed::Observed;
use crate::telemetry::Telemetry;

/// Everything a client needs from outside. Start from [`Parts::new`], or from the builder, which does no more.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Where flags come from.
    pub source: Arc<dyn FlagSource>,
    /// Who decides what the rules held here are not to decide. `None`: they decide everything.
    pub remote: Option<Arc<dyn RemoteEvaluator>>,
    /// Who records evaluations that were decided here, with [`Records::Replay`](crate::Records::Replay): the remote
    /// evaluator without a cache.
    pub recorder: Option<Arc<dyn RemoteEvaluator>>,
    /// Who is told what people saw. `None`: nobody.
    pub exposures: Option<Arc<dyn ExposureSink>>,
    /// Where the last good flags are kept. `None`: nowhere.
    pub archive: Option<Arc<dyn FlagArchive>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who is told what is measured. `()`: nobody.
    pub observer: Arc<dyn Observer>,
    /// Where evaluations are counted flag by flag. `None`: nowhere.
    pub flag_counts: Option<Arc<FlagCounts>>,
    /// What shows the statistics of the client.
    pub telemetry: Option<Telemetry>,
    /// The breaker in front of the source and the remote evaluator, to be looked at.
    pub breaker: Option<Breaker>,
    /// The cache in front of the remote evaluator, to be looked at and to be told what changed.
    #[cfg(feature = "memory")]
    pub remote_cache: Option<Arc<vexilla_storage::CachedRemote>>,
    /// What flags are made of, if that is under a budget of memory.
    #[cfg(feature = "memory")]
    pub(crate) pages: Option<Arc<crate::pages::Pages>>,
    /// Hands on what the sidecar does not answer itself. `None`: nobody.
    #[cfg(feature = "server")]
    pub forwarder: Option<Arc<dyn vexilla_server::Forwarder>>,
}

impl Parts {
    /// This source, nobody else who decides, no archive, and the real thing for everything else.
    pub fn new(source: Arc<dyn FlagSource>) -> Self {
        Self {
            source,
            remote: None,
            recorder: None,
            exposures: None,
            archive: None,
            clock: Arc::new(SystemClock),
            observer: Arc::new(()),
            flag_counts: None,
            telemetry: None,
            breaker: None,
            #[cfg(feature = "memory")]
            remote_cache: None,
            #[cfg(feature = "memory")]
            pages: None,
            #[cfg(feature = "server")]
            forwarder: None,
        }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets who is told what people saw.
    #[must_use]
    pub fn with_exposures(mut self, exposures: Arc<dyn ExposureSink>) -> Self {
        self.exposures = Some(exposures);
        self
    }

    /// Sets who decides what the rules held here are not to decide, and records what they do.
    #[must_use]
    pub fn with_remote(mut self, remote: Arc<dyn RemoteEvaluator>) -> Self {
        self.recorder = Some(Arc::clone(&remote));
        self.remote = Some(remote);
        self
    }

    /// Sets where the last good flags are kept.
    #[must_use]
    pub fn with_archive(mut self, archive: Arc<dyn FlagArchive>) -> Self {
        self.archive = Some(archive);
        self
    }

    /// Sets who is told what is measured. The remote evaluator that is set so far is measured, as it is so far: breaker
    /// included, and without a cache that comes later. Who made the breaker tells of its changes.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        if let Some(remote) = self.remote.take() {
            let (observer, clock) = (Arc::clone(&observer), Arc::clone(&self.clock));
            self.remote = Some(Arc::new(Observed::new(remote, observer, clock)));
        }
        self.observer = observer;
        self
    }

    /// Counts evaluations flag by flag.
    #[must_use]
    pub fn with_flag_counts(mut self, counts: Arc<FlagCounts>) -> Self {
        self.flag_counts = Some(counts);
        self
    }

    /// Shows what the client does: the telemetry gets its statistics, counts its flags, and is the observer.
    #[must_use]
    pub fn with_telemetry(mut self, telemetry: Telemetry) -> Self {
        let observer = telemetry.observer();
        self.flag_counts = telemetry.flag_counts();
        self.telemetry = Some(telemetry);
        self.with_observer(observer)
    }

    /// Sets who is handed what the sidecar does not answer itself.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_forwarder(mut self, forwarder: Arc<dyn vexilla_server::Forwarder>) -> Self {
        self.forwarder = Some(forwarder);
        self
    }

    /// Puts a breaker in front of what asks Flagr and is set so far: the source, the remote evaluator, the exposures. It takes its time from the
    /// clock that is set so far.
    #[must_use]
    pub fn with_breaker(mut self, breaker: Breaker) -> Self {
        let clock = || Arc::clone(&self.clock);
        self.source = Arc::new(Guarded::new(self.source, breaker.clone(), clock()));
        if let Some(remote) = self.remote {
            self.remote = Some(Arc::new(Guarded::new(remote, breaker.clone(), clock())));
        }
        if let Some(recorder) = self.recorder {
            self.recorder = Some(Arc::new(Guarded::new(recorder, breaker.clone(), clock())));
        }
        if let Some(exposures) = self.exposures {
            self.exposures = Some(Arc::new(Guarded::new(exposures, breaker.clone(), clock())));
        }
        self.breaker = Some(breaker);
        self
    }
}
