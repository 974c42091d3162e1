//! The cache against a model, under threads, at its limits, and at its end.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::BoundedCache;
use crate::{CacheConfig, CacheConfigError};

/// Room for anything that a test inserts without meaning to exceed it.
const AMPLE: u64 = 32 << 20;

fn cache(max_cost: u64) -> BoundedCache<u64, Arc<str>> {
    BoundedCache::new(&CacheConfig::with_budget(max_cost), |_, value: &Arc<str>| value.len())
        .unwrap()
}

/// Puts all keys into so many hashes.
#[derive(Clone)]
struct Degenerate(u64);

struct Degraded(u64, u64);

impl BuildHasher for Degenerate {
    type Hasher = Degraded;

    fn build_hasher(&self) -> Degraded {
        Degraded(self.0, 0)
    }
}

impl Hasher for Degraded {
    fn finish(&self) -> u64 {
        self.1 % self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.1 = bytes.iter().fold(self.1, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    }
}

#[test]
fn what_is_out_of_bounds_has_a_name() {
    let check = |change: fn(&mut CacheConfig), expected| {
        let mut config = CacheConfig::default();
        change(&mut config);
        let made = BoundedCache::<u64, u64>::new(&config, |_, _| 0);
        assert_eq!(made.err(), expected);
    };
    check(|_| (), None);
    check(|it| it.max_cost = 1, None);
    check(|it| it.max_cost = 0, Some(CacheConfigError::MaxCost));
    check(|it| it.max_cost = u64::MAX, Some(CacheConfigError::MaxCost));
    check(|it| it.counters = 1, None);
    check(|it| it.counters = 0, Some(CacheConfigError::Counters));
    check(|it| it.counters = usize::MAX, Some(CacheConfigError::Counters));
    check(|it| it.buffer_items = 0, Some(CacheConfigError::BufferItems));
    check(|it| it.buffer_items = usize::MAX, Some(CacheConfigError::BufferItems));
    check(|it| it.default_ttl = None, None);
    check(|it| it.default_ttl = Some(Duration::ZERO), Some(CacheConfigError::DefaultTtl));
    check(|it| it.default_ttl = Some(Duration::MAX), None);
    assert_eq!(
        CacheConfigError::MaxCost.to_string(),
        "`max_cost` must be at least one byte, and no more than 9223372036854775807 bytes"
    );
}

#[test]
fn the_defaults_are_the_references_in_small() {
    let reference = CacheConfig::with_budget(1 << 30);
    assert_eq!(reference.counters, 1 << 23); // the power of two below the reference's 10,000,000
    assert_eq!(reference.buffer_items, 64);
    assert_eq!(reference.default_ttl, Some(Duration::from_secs(300)));
    assert_eq!(CacheConfig::default().max_cost, 64 << 20);
}

#[test]
fn a_value_is_found_replaced_and_forgotten() {
    let cache = cache(AMPLE);
    assert_eq!(cache.get(&1), None);
    cache.insert(1, "one".into());
    assert_eq!(cache.get(&1).as_deref(), Some("one"));
    cache.insert(1, "uno".into());
    cache.insert(2, "two".into());
    assert_eq!(cache.get(&1).as_deref(), Some("uno"));
    cache.remove(&1);
    assert_eq!(cache.get(&1), None);
    assert_eq!(cache.get(&2).as_deref(), Some("two"));
    cache.settle();
    assert_eq!(cache.len(), 1);
    cache.clear();
    assert_eq!(cache.get(&2), None);
    assert!(cache.is_empty());

    let stats = cache.counts();
    assert_eq!((stats.hits, stats.misses, stats.stale_hits), (3, 3, 0));
    assert_eq!((stats.admitted, stats.rejected, stats.evicted), (3, 0, 0));
    assert_eq!((stats.entries, stats.bytes), (0, 0));
}

#[test]
fn a_key_is_looked_up_by_what_it_lends() {
    let cache =
        BoundedCache::<String, u64>::new(&CacheConfig::default(), |it, _| it.len()).unwrap();
    cache.insert("dark-mode".to_owned(), 7);
    assert_eq!(cache.get("dark-mode"), Some(7));
    assert_eq!(cache.get("light-mode"), None);
}

#[test]
fn what_exceeds_the_budget_by_itself_is_refused_and_takes_the_old_value_along() {
    let cache = cache(4_096);
    cache.insert(1, "small".into());
    cache.insert(1, "x".repeat(5_000).into());
    assert_eq!(cache.get(&1), None);
    cache.settle();
    let stats = cache.counts();
    assert_eq!((stats.admitted, stats.rejected, stats.entries, stats.bytes), (1, 1, 0, 0));
}

#[test]
fn the_budget_is_kept_and_every_insertion_is_accounted_for() {
    let cache = cache(64 << 10);
    let value: Arc<str> = "x".repeat(100).into();
    let cost = cache.cost(&0, &value);
    assert!(100 + 8 + 16 < cost && cost < 500, "{cost}");
    cache.insert_all((0..5_000).map(|key| (key, Arc::clone(&value))));
    let stats = cache.counts();
    assert_eq!(stats.bytes, stats.entries * cost);
    assert!(stats.bytes <= 64 << 10, "{stats:?}");
    assert!(stats.bytes + cost > 64 << 10, "{stats:?}");
    assert_eq!(stats.admitted + stats.rejected, 5_000);
    assert_eq!(stats.admitted - stats.evicted, stats.entries);
}

#[test]
fn a_bulk_load_with_room_for_all_loses_nothing() {
    let cache = cache(AMPLE);
    cache.insert_all((0..20_000).map(|key| (key, key.to_string().into())));
    for key in 0..20_000 {
        assert_eq!(cache.get(&key).as_deref(), Some(&*key.to_string()));
    }
    assert_eq!(cache.counts().admitted, 20_000);
}

#[test]
fn an_entry_whose_time_is_over_is_not_found() {
    let cache = cache(AMPLE);
    cache.insert_with_ttl(1, "never".into(), Duration::ZERO);
    assert_eq!(cache.get(&1), None);
    cache.insert_with_ttl(2, "short".into(), Duration::from_nanos(1));
    while cache.get(&2).is_some() {
        std::hint::spin_loop();
    }
    cache.insert_with_ttl(3, "long".into(), Duration::MAX);
    cache.settle();
    assert_eq!(cache.get(&3).as_deref(), Some("long"));
}

#[test]
fn of_two_keys_with_one_hash_the_later_stays() {
    let config = CacheConfig::with_budget(AMPLE);
    let cache = BoundedCache::with_hasher(&config, Degenerate(1), |_, _| 0).unwrap();
    cache.insert("a", 1);
    cache.insert("b", 2);
    assert_eq!(cache.get("a"), None);
    assert_eq!(cache.get("b"), Some(2));
    cache.remove("a");
    assert_eq!(cache.get("b"), Some(2));
    cache.settle();
    assert_eq!(cache.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever collides: a hit is the last value of its own key, and the last insertion of a hash is a hit.
    #[test]
    fn a_hit_is_right_whatever_the_hashes_are(
        hashes in 1u64..5,
        steps in proptest::collection::vec((0u8..4, 0u64..12, any::<u16>()), 1..120),
    ) {
        let config = CacheConfig::with_budget(AMPLE);
        let cache = BoundedCache::with_hasher(&config, Degenerate(hashes), |_, _| 0).unwrap();
        let mut model = HashMap::new();
        for (what, key, value) in steps {
            match what {
                0 | 1 => {
                    cache.insert(key, value);
                    model.insert(key, value);
                    prop_assert_eq!(cache.get(&key), Some(value));
                }
                2 => {
                    cache.remove(&key);
                    model.remove(&key);
                    prop_assert_eq!(cache.get(&key), None);
                }
                _ => cache.settle(),
            }
            for key in 0..12 {
                if let Some(found) = cache.get(&key) {
                    prop_assert_eq!(Some(&found), model.get(&key));
                }
            }
        }
    }
}

/// Tiny budget, colliding hashes, several threads: whatever is dropped, nothing is ever wrong.
#[test]
fn threads_that_displace_each_other_read_nothing_wrong() {
    let config = CacheConfig::with_budget(40_000);
    let cache = BoundedCache::with_hasher(&config, Degenerate(997), |_, _| 0).unwrap();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                let mut state = thread + 1;
                for _ in 0..50_000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let key = (state >> 33) % 3_000;
                    match cache.get(&key) {
                        Some(value) => assert_eq!(value, key * 7),
                        None => cache.insert(key, key * 7),
                    }
                    if state >> 60 == 0 {
                        cache.remove(&key);
                    }
                }
            });
        }
    });
    cache.settle();
    let stats = cache.counts();
    assert_eq!(stats.hits + stats.misses, 200_000);
    assert!(0 < stats.hits && 0 < stats.evicted + stats.rejected, "{stats:?}");
    assert!(stats.bytes <= 40_000, "{stats:?}");
}

/// However fast entries come: what is held, decided or not, is an eighth beyond the budget at most.
#[test]
fn a_rush_never_holds_much_more_than_the_budget() {
    const BUDGET: u64 = 1 << 20;
    let cache = cache(BUDGET);
    let value: Arc<str> = "x".repeat(50).into();
    let (cost, threads) = (cache.cost(&0, &value), 4);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (cache, value) = (&cache, &value);
            scope.spawn(move || {
                for key in 0..20_000 {
                    cache.insert(thread * 20_000 + key, Arc::clone(value));
                    // Each thread may have looked before the others entered.
                    assert!(cache.counts().bytes <= BUDGET / 8 * 9 + threads * cost);
                }
            });
        }
    });
    cache.settle();
    let stats = cache.counts();
    assert!(stats.bytes <= BUDGET && BUDGET / 2 < stats.bytes, "{stats:?}");
    assert_eq!(stats.admitted + stats.rejected, threads * 20_000);
}

/// Says on which thread it was dropped.
struct Farewell(mpsc::Sender<Option<String>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().name().map(str::to_owned));
    }
}

fn cache_with_farewell() -> (BoundedCache<u8, Arc<Farewell>>, mpsc::Receiver<Option<String>>) {
    let (said, heard) = mpsc::channel();
    let cache = BoundedCache::new(&CacheConfig::with_budget(AMPLE), |_, _| 0).unwrap();
    cache.insert(1, Arc::new(Farewell(said)));
    (cache, heard)
}

#[test]
fn outside_a_runtime_a_cache_is_gone_when_it_was_dropped() {
    let (cache, heard) = cache_with_farewell();
    drop(cache);
    assert_eq!(heard.try_recv().unwrap(), thread::current().name().map(str::to_owned));
}

#[tokio::test]
async fn within_a_runtime_a_cache_ends_on_a_thread_of_its_own() {
    let (cache, heard) = cache_with_farewell();
    drop(cache);
    assert_eq!(heard.recv().unwrap().as_deref(), Some("vexilla-cache-end"));
}

#[test]
fn what_is_printed_is_counts() {
    let cache = cache(AMPLE);
    cache.insert(1, "somebody's secret".into());
    let printed = format!("{cache:?}");
    assert!(printed.contains("max_cost") && !printed.contains("secret"), "{printed}");
}
