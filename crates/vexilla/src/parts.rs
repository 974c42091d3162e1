//! What a client is made of.

use std::sync::Arc;

use vexilla_breaker::Breaker;
use vexilla_domain::{Clock, FlagArchive, FlagSource, RemoteEvaluator};

use crate::clock::SystemClock;
use crate::guarded::Guarded;

/// Everything a client needs from outside. Start from [`Parts::new`], or from the builder, which does no more.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Where flags come from.
    pub source: Arc<dyn FlagSource>,
    /// Who decides what the rules held here are not to decide. `None`: they decide everything.
    pub remote: Option<Arc<dyn RemoteEvaluator>>,
    /// Where the last good flags are kept. `None`: nowhere.
    pub archive: Option<Arc<dyn FlagArchive>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
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
            archive: None,
            clock: Arc::new(SystemClock),
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

    /// Sets who decides what the rules held here are not to decide.
    #[must_use]
    pub fn with_remote(mut self, remote: Arc<dyn RemoteEvaluator>) -> Self {
        self.remote = Some(remote);
        self
    }

    /// Sets where the last good flags are kept.
    #[must_use]
    pub fn with_archive(mut self, archive: Arc<dyn FlagArchive>) -> Self {
        self.archive = Some(archive);
        self
    }

    /// Sets who is handed what the sidecar does not answer itself.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_forwarder(mut self, forwarder: Arc<dyn vexilla_server::Forwarder>) -> Self {
        self.forwarder = Some(forwarder);
        self
    }

    /// Puts a breaker in front of the source and the remote evaluator that are set so far. It takes its time from the
    /// clock that is set so far.
    #[must_use]
    pub fn with_breaker(mut self, breaker: Breaker) -> Self {
        let clock = || Arc::clone(&self.clock);
        self.source = Arc::new(Guarded::new(self.source, breaker.clone(), clock()));
        if let Some(remote) = self.remote {
            self.remote = Some(Arc::new(Guarded::new(remote, breaker.clone(), clock())));
        }
        self.breaker = Some(breaker);
        self
    }
}
