//! The answers that are kept, and the memory for them from the first one on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::warn;
use vexilla_domain::{CacheCounts, with_causes};

use super::call::{Asked, Kept};
use super::held::Held;
use crate::cache_counts::Event;
use crate::{BoundedCache, CacheConfig, CacheConfigError};

type Cache = BoundedCache<Arc<Kept>, Arc<Held>>;

/// What estimates which answers are in use takes most of a megabyte, and two threads: where all flags are decided here,
/// nobody needs them.
pub(super) struct Answers {
    limits: CacheConfig,
    cache: OnceLock<Option<Cache>>,
}

impl Answers {
    /// Refuses limits that are out of bounds.
    pub(super) fn new(limits: CacheConfig) -> Result<Self, CacheConfigError> {
        limits.check()?;
        Ok(Self { limits, cache: OnceLock::new() })
    }

    pub(super) fn find(&self, asked: &Asked<'_>) -> Option<Arc<Held>> {
        self.cache.get()?.as_ref()?.find(asked)
    }

    pub(super) fn keep(&self, kept: &Arc<Kept>, held: &Arc<Held>, ttl: Duration) {
        if let Some(cache) = self.cache() {
            cache.insert_with_ttl(Arc::clone(kept), Arc::clone(held), ttl);
        }
    }

    pub(super) fn count(&self, event: Event) {
        if let Some(cache) = self.cache() {
            cache.count(event);
        }
    }

    pub(super) fn counts(&self) -> CacheCounts {
        let made = self.cache.get().and_then(Option::as_ref);
        let mut counts = made.map(Cache::counts).unwrap_or_default();
        counts.max_bytes = self.limits.max_cost;
        counts
    }

    fn without(reason: &str) -> Option<Cache> {
        warn!("no answers of Flagr are kept: {reason}");
        None
    }

    /// Without it every question is asked.
    fn cache(&self) -> Option<&Cache> {
        let bytes = |kept: &Arc<Kept>, held: &Arc<Held>| kept.bytes().saturating_add(held.bytes());
        // Where no thread can be had stretto panics. An answer that is there is not lost for that.
        let make =
            || match catch_unwind(AssertUnwindSafe(|| BoundedCache::new(&self.limits, bytes))) {
                Ok(Ok(cache)) => Some(cache),
                Ok(Err(error)) => Self::without(&with_causes(&error)),
                Err(_) => Self::without("its threads cannot be started"),
            };
        self.cache.get_or_init(make).as_ref()
    }
}
