//! What flags are made of, under a budget of bytes, for more flags than memory should hold.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vexilla_domain::{CacheCounts, Clock, FlagId};

use crate::cache_counts::Event;
use crate::flights::Flights;
use crate::{BoundedCache, CacheConfig, CacheConfigError};

/// Bodies of flags by id and content, the frequent ones kept, the others loaded when they are asked for.
///
/// Which flags exist is not known here: a body that is not held was never loaded, or was displaced, or is too old, and
/// is loaded again. An archive or Flagr is where from; this cache does not know.
///
/// While nothing can be loaded nothing expires: a load that fails suspends expiry until one succeeds.
pub struct BoundedBodies<T: Send + Sync + 'static> {
    cache: BoundedCache<BodyKey, Body<T>>,
    loads: Flights<BodyKey, (Event, Loaded<T>)>,
    clock: Arc<dyn Clock>,
    ttl: Option<Duration>,
    expiry_suspended: AtomicBool,
}

/// Which body. Another content of the same flag is another body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyKey {
    /// The flag.
    pub flag: FlagId,
    /// A fingerprint of its content.
    pub fingerprint: u64,
}

/// A body could not be loaded, and no older copy of it is held. All who waited for it are told.
#[derive(Debug, Clone, thiserror::Error)]
#[error("flag {flag} cannot be loaded")]
pub struct LoadError {
    flag: FlagId,
    #[source]
    source: Arc<dyn Error + Send + Sync>,
}

type Loaded<T> = Result<Option<Arc<T>>, LoadError>;

struct Body<T> {
    body: Arc<T>,
    /// Not kept where nothing expires.
    loaded: Option<Instant>,
}

/// The counts before an [`Arc`]'s value.
const ARC: usize = 2 * size_of::<usize>();

impl<T: Send + Sync + 'static> BoundedBodies<T> {
    /// No bodies yet. `measure` says how many bytes a body owns beside its own size; [`CacheConfig::default_ttl`] is when
    /// one is loaded anew.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn new(
        config: &CacheConfig,
        clock: Arc<dyn Clock>,
        measure: impl Fn(&T) -> usize + Send + Sync + 'static,
    ) -> Result<Self, CacheConfigError> {
        config.checked()?;
        let ttl = config.default_ttl;
        // Expiry is decided here: stretto would throw away what cannot be loaded again now.
        let config = config.clone().with_default_ttl(None);
        let whole =
            move |_: &BodyKey, it: &Body<T>| measure(&it.body).saturating_add(size_of::<T>() + ARC);
        Ok(Self {
            cache: BoundedCache::new(&config, whole)?,
            loads: Flights::default(),
            clock,
            ttl,
            expiry_suspended: AtomicBool::new(false),
        })
    }

    /// Offers a body that is at hand.
    pub fn insert(&self, key: BodyKey, body: Arc<T>) {
        self.cache.insert(key, self.dated(body));
    }

    /// Forgets a body that no flag has any more.
    ///
    /// # Blocking
    ///
    /// It may wait a moment for another thread when insertions are queueing.
    pub fn remove(&self, key: &BodyKey) {
        self.cache.remove(key);
    }

    /// From now on bodies expire.
    pub fn resume_expiry(&self) {
        self.expiry_suspended.store(false, Ordering::Relaxed);
    }

    /// The body if it is held and not too old. Loads nothing and waits for nothing.
    pub fn get(&self, key: &BodyKey) -> Option<Arc<T>> {
        let found = self.current(key);
        if found.is_none() {
            self.cache.count(Event::Miss);
        }
        found
    }

    /// The body if it is held, however old it is, and whether it is to be loaded again.
    pub fn held(&self, key: &BodyKey) -> Option<(Arc<T>, bool)> {
        let Some(held) = self.cache.find(key) else {
            self.cache.count(Event::Miss);
            return None;
        };
        let is_fresh = self.is_fresh(&held);
        self.cache.count(if is_fresh { Event::Hit } else { Event::StaleHit });
        Some((held.body, !is_fresh && !self.expiry_suspended.load(Ordering::Relaxed)))
    }

    /// The body if it is held, however old it is.
    pub fn get_even_expired(&self, key: &BodyKey) -> Option<Arc<T>> {
        let Some(held) = self.cache.find(key) else {
            self.cache.count(Event::Miss);
            return None;
        };
        self.cache.count(if self.is_fresh(&held) { Event::Hit } else { Event::StaleHit });
        Some(held.body)
    }

    /// The body, loaded if it is not held. `None` only where `load` says that there is none.
    ///
    /// However many ask for a body, one loads it. If that one goes away, another one does with its own `load`.
    ///
    /// A `load` that gives an [`Arc`] has [inserted](Self::insert) it by itself, on the thread whose memory is to hold it:
    /// allocators keep what is freed for the thread that took it first.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded and no older copy is held.
    pub async fn get_or_load<B, E>(
        &self,
        key: BodyKey,
        load: impl Future<Output = Result<Option<B>, E>>,
    ) -> Result<Option<Arc<T>>, LoadError>
    where
        B: Into<Loading<T>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if let Some(found) = self.current(&key) {
            return Ok(Some(found));
        }
        let work = async {
            // Somebody may have loaded it between the look and this turn.
            if let Some(held) = self.cache.find(&key).filter(|it| self.is_fresh(it)) {
                return (Event::Miss, Ok(Some(held.body)));
            }
            self.loaded(key, load.await.map_err(Into::into))
        };
        let (event, loaded) = self.loads.join(key, work).await;
        self.cache.count(event);
        loaded
    }

    /// How many bodies are held.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether no body is held.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// The counts. Who waits for a load has missed, whoever did it.
    pub fn counts(&self) -> CacheCounts {
        self.cache.counts()
    }

    fn loaded(
        &self,
        key: BodyKey,
        loaded: Result<Option<impl Into<Loading<T>>>, Box<dyn Error + Send + Sync>>,
    ) -> (Event, Loaded<T>) {
        match loaded {
            Ok(Some(body)) => {
                self.resume_expiry();
                let body = match body.into() {
                    Loading::Inserted(body) => body,
                    Loading::Made(body) => {
                        let body = Arc::new(body);
                        self.insert(key, Arc::clone(&body));
                        body
                    }
                };
                (Event::Miss, Ok(Some(body)))
            }
            Ok(None) => {
                self.resume_expiry();
                self.remove(&key);
                (Event::Miss, Ok(None))
            }
            Err(error) => {
                self.suspend_expiry();
                match self.cache.find(&key) {
                    Some(held) => (Event::StaleHit, Ok(Some(held.body))),
                    None => {
                        let source = error.into();
                        (Event::Miss, Err(LoadError { flag: key.flag, source }))
                    }
                }
            }
        }
    }

    /// From now on bodies do not expire, until a load succeeds or [`resume_expiry`](Self::resume_expiry).
    fn suspend_expiry(&self) {
        self.expiry_suspended.store(true, Ordering::Relaxed);
    }

    fn current(&self, key: &BodyKey) -> Option<Arc<T>> {
        let held = self.cache.find(key)?;
        if self.is_fresh(&held) {
            self.cache.count(Event::Hit);
        } else if self.expiry_suspended.load(Ordering::Relaxed) {
            self.cache.count(Event::StaleHit);
        } else {
            return None;
        }
        Some(held.body)
    }

    fn dated(&self, body: Arc<T>) -> Body<T> {
        Body { body, loaded: self.ttl.map(|_| self.clock.instant()) }
    }

    fn is_fresh(&self, held: &Body<T>) -> bool {
        let (Some(loaded), Some(ttl)) = (held.loaded, self.ttl) else { return true };
        self.clock.instant().saturating_duration_since(loaded) < ttl
    }
}

/// What came of a load.
#[derive(Debug)]
pub enum Loading<T> {
    /// A body, to be inserted.
    Made(T),
    /// One that the load has offered to the cache already.
    Inserted(Arc<T>),
}

impl<T> From<T> for Loading<T> {
    fn from(body: T) -> Self {
        Self::Made(body)
    }
}

impl<T> From<Arc<T>> for Loading<T> {
    fn from(body: Arc<T>) -> Self {
        Self::Inserted(body)
    }
}

impl LoadError {
    /// The flag whose body it is.
    pub fn flag(&self) -> FlagId {
        self.flag
    }
}

impl<T> Clone for Body<T> {
    fn clone(&self) -> Self {
        Self { body: Arc::clone(&self.body), loaded: self.loaded }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for BoundedBodies<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedBodies")
            .field("ttl", &self.ttl)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
