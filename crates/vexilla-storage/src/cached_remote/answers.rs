//! The answers that are kept, and the memory for them from the first one on.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use vexilla_domain::CacheCounts;

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
        self.cache.get().and_then(Option::as_ref).map(Cache::counts).unwrap_or_default()
    }

    /// There is one, since the limits are right; without it every question is asked.
    fn cache(&self) -> Option<&Cache> {
        let bytes = |kept: &Arc<Kept>, held: &Arc<Held>| kept.bytes().saturating_add(held.bytes());
        self.cache.get_or_init(|| BoundedCache::new(&self.limits, bytes).ok()).as_ref()
    }
}
