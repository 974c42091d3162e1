//! Flagr's answers, kept for a while: whether, and when they are forgotten.

use std::sync::Arc;

use vexilla_domain::{CacheCounts, FlagName, RemoteEvaluator};
use vexilla_eval::Ruleset;
use vexilla_storage::{CachedRemote, CachedRemoteConfig};

use crate::builder::ClientBuilder;
use crate::error::ConfigError;
use crate::parts::Parts;

/// Whether answers are kept.
#[derive(Debug)]
pub(crate) struct RemoteCache(Option<CachedRemoteConfig>);

impl Default for RemoteCache {
    fn default() -> Self {
        Self(Some(CachedRemoteConfig::default()))
    }
}

impl ClientBuilder {
    /// How long, and how many, answers of Flagr are kept, for the same question by the same entity. Default: 10 seconds and
    /// 64 MiB. Answers for flags that record data are not kept, unless this says so.
    pub fn remote_cache(mut self, config: CachedRemoteConfig) -> Self {
        self.remote_cache = RemoteCache(Some(config));
        self
    }

    /// Asks Flagr for each evaluation that is its to decide, so that it counts all of them.
    pub fn no_remote_cache(mut self) -> Self {
        self.remote_cache = RemoteCache(None);
        self
    }
}

impl RemoteCache {
    /// Puts the cache in front of what asks Flagr, if answers are to be kept.
    pub(crate) fn around(self, parts: Parts) -> Result<Parts, ConfigError> {
        match self.0 {
            Some(config) => parts.with_remote_cache(config),
            None => Ok(parts),
        }
    }
}

impl Parts {
    /// Keeps the answers of the remote evaluator that is set so far, breaker included. It takes its time from the clock
    /// that is set so far, and tells the observer that is set so far.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn with_remote_cache(mut self, config: CachedRemoteConfig) -> Result<Self, ConfigError> {
        if let Some(remote) = self.remote.take() {
            let (clock, observer) = (Arc::clone(&self.clock), Arc::clone(&self.observer));
            let cache = CachedRemote::observed(remote, clock, config, observer);
            let cache = cache.map_err(|it| ConfigError::new("remote_cache", it.to_string()))?;
            let cache = Arc::new(cache);
            self.remote = Some(Arc::clone(&cache) as Arc<dyn RemoteEvaluator>);
            self.remote_cache = Some(cache);
        }
        Ok(self)
    }

    /// Flagr is asked anew for a flag that is said to have changed.
    pub(crate) fn forget_answers(&self, flag: &FlagName) {
        if let Some(cache) = &self.remote_cache {
            cache.forget(flag);
        }
    }

    /// Flagr is asked anew for all flags.
    pub(crate) fn forget_all_answers(&self) {
        if let Some(cache) = &self.remote_cache {
            cache.forget_all();
        }
    }

    /// Flagr is asked anew for flags that changed. Where Flagr numbers its changes, an answer says itself which it is of.
    pub(crate) fn forget_changed(&self, before: &Ruleset, now: &Ruleset) {
        let Some(cache) = &self.remote_cache else { return };
        for flag in now.flags().filter(|it| it.head().snapshot_id.0 == 0) {
            let head = flag.head();
            if before.by_id(head.id).is_some_and(|it| it.fingerprint() != flag.fingerprint()) {
                cache.forget(&FlagName { id: head.id, key: head.key.clone() });
            }
        }
    }

    /// Ends what is asked ahead of time.
    pub(crate) async fn stop_asking_ahead(&self) {
        if let Some(cache) = &self.remote_cache {
            cache.stop().await;
        }
    }

    pub(crate) fn cache_counts(&self) -> Option<CacheCounts> {
        Some(self.remote_cache.as_ref()?.counts())
    }
}
