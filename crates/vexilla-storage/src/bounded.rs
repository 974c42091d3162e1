//! A cache that holds no more than so many bytes: stretto, without its traps.

mod hash;
mod last_handle;

use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use equivalent::Equivalent;
use rapidhash::fast::RandomState;
use stretto::{CacheCallback, DefaultCoster, DefaultUpdateValidator, Item};
use vexilla_domain::CacheCounts;

use self::hash::{AsHashed, Mixed};
use self::last_handle::LastHandle;
use crate::cache_counts::{Counts, Event};
use crate::{CacheConfig, CacheConfigError};

/// Values by key, under a budget of bytes, the frequent ones preferred (`TinyLFU`).
///
/// **It forgets.** An insertion may be refused, lost in a burst, or displaced at any time, so a miss says nothing but
/// that the value is to be had elsewhere. What it gives is right: each value is kept with its whole key, and a hit counts
/// only if the keys are equal, whatever their hashes are. Of two keys with one hash the later insertion stays.
///
/// What stretto needs of its callers is seen to here: a reader never holds a lock of it; what exceeds the budget by
/// itself is refused before it is stored for a moment; more than an eighth beyond the budget, or one entry where that is
/// more, is never held, not even until stretto has decided; and the cost of an entry includes what stretto needs for it.
/// Its own metrics stay off: they make it drop entries.
///
/// A full cache does work in proportion to its entries for each that it lets in (about a millisecond for 100,000, on a
/// thread of its own): a budget of some ten thousand entries is better than one of a million.
///
/// Each cache has two threads, which end with it. Dropping it waits for that, but not within a Tokio runtime: there a
/// thread of its own does.
pub struct BoundedCache<K, V, S = RandomState>
where
    K: Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    // INVARIANT: dropped before `last`, which then is the last handle. Nobody else has one.
    store: Store<K, V>,
    _last: LastHandle<Store<K, V>>,
    hasher: S,
    measure: Box<Measure<K, V>>,
    counts: Arc<Counts>,
    max_cost: i64,
    default_ttl: Duration,
}

type Store<K, V> = stretto::Cache<
    u64,
    Entry<K, V>,
    AsHashed,
    DefaultCoster<Entry<K, V>>,
    DefaultUpdateValidator<Entry<K, V>>,
    Counting<K, V>,
    BuildHasherDefault<Mixed>,
>;

/// How many bytes a key and its value own on the heap.
type Measure<K, V> = dyn Fn(&K, &V) -> usize + Send + Sync;

struct Entry<K, V> {
    key: K,
    value: V,
    _weight: Weight,
}

/// Counts its entry for as long as that exists, whichever way it goes.
struct Weight {
    cost: i64,
    counts: Arc<Counts>,
}

/// Why entries go. It runs on stretto's own thread, and must not keep it.
struct Counting<K, V> {
    counts: Arc<Counts>,
    entries: PhantomData<fn(Entry<K, V>)>,
}

impl<K, V> BoundedCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache with these limits. `measure` says how many bytes a key and its value own beside their own size: texts,
    /// lists, what an [`Arc`] of theirs points to.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn new(
        config: &CacheConfig,
        measure: impl Fn(&K, &V) -> usize + Send + Sync + 'static,
    ) -> Result<Self, CacheConfigError> {
        Self::with_hasher(config, RandomState::new(), measure)
    }
}

impl<K, V, S> BoundedCache<K, V, S>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher,
{
    /// How many insertions of a bulk load may wait for their admission: stretto drops them in a longer burst.
    const BURST: usize = 1_000;

    /// Insertions that stretto gathers at most, for each of 64 threads, before it looks at them; until then they are
    /// beyond the budget. Its own 64 would be 4,096 entries.
    const GATHERED: i64 = 16;

    /// What is gathered is to fit into an eighth of the budget where entries take no more than so many bytes: otherwise
    /// offers are refused before anything is looked at. Stretto looks by itself only twice a second.
    const LARGE: i64 = 4 << 10;

    /// Longer is for ever. Stretto adds it to the time of day.
    const MAX_TTL: Duration = Duration::from_secs(u32::MAX as u64);

    /// What an entry takes beside its heap, at the worst: its place in the map of values, with the versions and times that
    /// stretto keeps there, its place in the map of costs, and its place among the times of expiry. A map that has just
    /// doubled has 16 places for 7 entries, and the maps of values are so small that most of them have.
    const PLACE: usize = (size_of::<Entry<K, V>>() + 88) * 16 / 7 + 40 + 24;

    /// The same as [`new`](BoundedCache::new) with hashes of one's own, which must be the same for the same key.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn with_hasher(
        config: &CacheConfig,
        hasher: S,
        measure: impl Fn(&K, &V) -> usize + Send + Sync + 'static,
    ) -> Result<Self, CacheConfigError> {
        let max_cost = config.checked()?;
        let counts = Arc::new(Counts::default());
        let callback = Counting { counts: Arc::clone(&counts), entries: PhantomData };
        let store = stretto::CacheBuilder::new(config.counters, max_cost)
            .set_key_builder(AsHashed)
            .set_hasher(BuildHasherDefault::default())
            .set_callback(callback)
            .set_buffer_items(config.buffer_items)
            .set_insert_stripe_high_water(Self::gathered(max_cost))
            .set_ignore_internal_cost(true) // `PLACE` has it
            .finalize()
            .map_err(|_| CacheConfigError::Counters)?; // nothing else is left to be wrong
        Ok(Self {
            _last: LastHandle::new(store.clone()),
            store,
            hasher,
            measure: Box::new(measure),
            counts,
            max_cost,
            default_ttl: config.default_ttl.unwrap_or_default(),
        })
    }

    /// Offers a value, for as long as the configuration says. A former value of the key is replaced at once.
    pub fn insert(&self, key: K, value: V) {
        self.offer(key, value, self.default_ttl);
    }

    /// Offers a value for so long; no time at all is too short to offer it.
    ///
    /// The time is the computer's own, by the calendar: where a wrong clock matters, keep a time in the value.
    pub fn insert_with_ttl(&self, key: K, value: V, ttl: Duration) {
        if !ttl.is_zero() {
            self.offer(key, value, ttl);
        }
    }

    /// Offers many values, none of them lost because they come too fast.
    ///
    /// # Blocking
    ///
    /// It waits for another thread, again and again: not on a thread that drives futures.
    pub fn insert_all(&self, entries: impl IntoIterator<Item = (K, V)>) {
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at % Self::BURST == 0 || self.is_crowded(0) {
                self.settle();
            }
            self.insert(key, value);
        }
        self.settle();
    }

    /// Forgets a key.
    ///
    /// # Blocking
    ///
    /// It may wait a moment for another thread when insertions are queueing.
    pub fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let index = self.hasher.hash_one(key);
        if self.at(index, key, |_| ()).is_some() {
            // An error means that stretto's threads are gone, and with them all entries' future.
            let _ = self.store.try_remove(&index);
        }
    }

    /// Forgets everything.
    ///
    /// # Blocking
    ///
    /// It waits for another thread: not on a thread that drives futures.
    pub fn clear(&self) {
        let _ = self.store.clear();
    }

    /// Waits until it is decided which of the insertions so far are kept.
    ///
    /// # Blocking
    ///
    /// It waits for another thread: not on a thread that drives futures.
    pub fn settle(&self) {
        let _ = self.store.wait();
    }

    /// The value of a key, if it is held.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let found = self.find(key);
        self.count(if found.is_some() { Event::Hit } else { Event::Miss });
        found
    }

    /// How many entries are held, those included whose admission is not decided yet.
    pub fn len(&self) -> usize {
        usize::try_from(self.counts.entries()).unwrap_or(usize::MAX)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counts.
    pub fn counts(&self) -> CacheCounts {
        let mut counts = self.counts.read();
        counts.max_bytes = self.max_cost.unsigned_abs();
        counts
    }

    /// What an entry costs by the budget, in bytes.
    pub fn cost(&self, key: &K, value: &V) -> u64 {
        u64::try_from((self.measure)(key, value).saturating_add(Self::PLACE)).unwrap_or(u64::MAX)
    }

    /// The same as [`get`](Self::get) for a caller who counts by itself.
    #[inline]
    pub(crate) fn find<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.at(self.hasher.hash_one(key), key, V::clone)
    }

    pub(crate) fn count(&self, event: Event) {
        self.counts.add(event);
    }

    fn gathered(max_cost: i64) -> usize {
        let fitting = (max_cost / 8 / 64 / Self::LARGE).clamp(1, Self::GATHERED);
        usize::try_from(fitting).unwrap_or(1)
    }

    /// The lock that comes with stretto's reference ends here: an insertion under it would wait for itself.
    fn at<Q, T>(&self, index: u64, key: &Q, take: impl FnOnce(&V) -> T) -> Option<T>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let held = self.store.get(&index)?;
        let entry = held.value();
        key.equivalent(&entry.key).then(|| take(&entry.value))
    }

    /// Whether stretto is behind: what it has stored and not looked at yet exceeds the budget by too much. To displace one
    /// of 100,000 entries it looks at all of them, so a rush of misses is faster than it is. One entry beyond a full budget
    /// is never too much: without it nothing could be displaced.
    fn is_crowded(&self, cost: i64) -> bool {
        let beyond = cost.max(self.max_cost / 8);
        self.max_cost.saturating_add(beyond) < self.counts.bytes().saturating_add(cost)
    }

    fn offer(&self, key: K, value: V, ttl: Duration) {
        self.count(Event::Offered);
        let cost = i64::try_from(self.cost(&key, &value)).unwrap_or(i64::MAX);
        if self.max_cost < cost || self.is_crowded(cost) {
            self.count(Event::Rejected);
            self.remove(&key); // the value that this one was to replace is not right any more
            return;
        }
        let index = self.hasher.hash_one(&key);
        let ttl = if ttl < Self::MAX_TTL { ttl } else { Duration::ZERO };
        self.counts.enter(cost);
        let weight = Weight { cost, counts: Arc::clone(&self.counts) };
        // Neither answer is a promise: what becomes of it comes through `Counting` and `Weight`.
        let _ =
            self.store.try_insert_with_ttl(index, Entry { key, value, _weight: weight }, cost, ttl);
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.counts.leave(self.cost);
    }
}

impl<K: Send + Sync + 'static, V: Send + Sync + 'static> CacheCallback for Counting<K, V> {
    type Value = Entry<K, V>;

    fn on_exit(&self, _: Option<Entry<K, V>>) {}

    fn on_evict(&self, _: Item<Entry<K, V>>) {
        self.counts.add(Event::Evicted);
    }

    fn on_reject(&self, _: Item<Entry<K, V>>) {
        self.counts.add(Event::Rejected);
    }
}

impl<K, V, S> fmt::Debug for BoundedCache<K, V, S>
where
    K: Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedCache")
            .field("max_cost", &self.max_cost)
            .field("counts", &self.counts.read())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
