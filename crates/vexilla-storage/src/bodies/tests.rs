//! Bodies are held, loaded once, and never lost while nothing can be loaded.

use std::collections::HashSet;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use vexilla_domain::FlagId;

use super::{BodyKey, BoundedBodies};
use crate::CacheConfig;
use crate::test_clock::TestClock;

const TTL: Duration = Duration::from_secs(60);

type Bodies = BoundedBodies<String>;
type Failure = std::io::Error;

fn bodies(max_cost: u64) -> (Arc<Bodies>, Arc<TestClock>) {
    let clock = TestClock::new();
    let config = CacheConfig::with_budget(max_cost).with_default_ttl(Some(TTL));
    let bodies = BoundedBodies::new(&config, Arc::clone(&clock) as _, String::capacity).unwrap();
    (Arc::new(bodies), clock)
}

fn key(flag: u64) -> BodyKey {
    BodyKey { flag: FlagId(flag), fingerprint: flag * 31 }
}

fn body(flag: u64) -> String {
    format!("the body of flag {flag}")
}

fn fails() -> Result<Option<String>, Failure> {
    Err(Failure::other("the disk is gone"))
}

async fn given(bodies: &Bodies, flag: u64, what: &str) -> String {
    let loaded = bodies.get_or_load(key(flag), async { Ok::<_, Failure>(Some(what.to_owned())) });
    String::clone(&*loaded.await.unwrap().unwrap())
}

#[tokio::test]
async fn a_body_is_loaded_once_and_then_held() {
    let (bodies, _) = bodies(1 << 20);
    assert_eq!(bodies.get(&key(1)), None);
    assert_eq!(given(&bodies, 1, "first").await, "first");
    assert_eq!(given(&bodies, 1, "second").await, "first");
    assert_eq!(bodies.get(&key(1)).unwrap().as_str(), "first");
    let other = BodyKey { fingerprint: 7, ..key(1) };
    assert_eq!(bodies.get(&other), None);
    let stats = bodies.counts();
    assert_eq!((stats.hits, stats.misses, stats.admitted), (2, 3, 1));
}

#[tokio::test]
async fn a_flag_that_is_nowhere_is_asked_for_each_time() {
    let (bodies, _) = bodies(1 << 20);
    for _ in 0..2 {
        let loaded = bodies.get_or_load(key(1), ready(Ok::<Option<String>, Failure>(None))).await;
        assert!(loaded.unwrap().is_none());
    }
    assert_eq!(given(&bodies, 1, "made since").await, "made since");
}

#[tokio::test]
async fn a_thousand_who_miss_one_body_load_it_once() {
    let (bodies, _) = bodies(1 << 20);
    let (loads, arrived) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let mut all = JoinSet::new();
    for _ in 0..1_000 {
        let (bodies, gate) = (Arc::clone(&bodies), Arc::clone(&gate));
        let (loads, arrived) = (Arc::clone(&loads), Arc::clone(&arrived));
        all.spawn(async move {
            arrived.fetch_add(1, Ordering::SeqCst);
            let load = async {
                loads.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok::<_, Failure>(Some(body(1)))
            };
            bodies.get_or_load(key(1), load).await.unwrap().unwrap()
        });
    }
    while arrived.load(Ordering::SeqCst) < 1_000 {
        yield_now().await;
    }
    gate.add_permits(1_000);
    let given = all.join_all().await;
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    assert!(given.iter().all(|it| Arc::ptr_eq(it, &given[0])));
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_and_the_next_tries_again() {
    let (bodies, _) = bodies(1 << 20);
    let (gate, arrived) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut all = JoinSet::new();
    for _ in 0..10 {
        let (bodies, gate, arrived) =
            (Arc::clone(&bodies), Arc::clone(&gate), Arc::clone(&arrived));
        all.spawn(async move {
            arrived.fetch_add(1, Ordering::SeqCst);
            let load = async {
                gate.acquire().await.unwrap().forget();
                fails()
            };
            bodies.get_or_load(key(1), load).await
        });
    }
    while arrived.load(Ordering::SeqCst) < 10 {
        yield_now().await;
    }
    gate.add_permits(1); // one load, ten failures
    for failed in all.join_all().await {
        let error = failed.unwrap_err();
        assert_eq!(error.flag(), FlagId(1));
        assert_eq!(error.to_string(), "flag 1 cannot be loaded");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "the disk is gone");
    }
    assert_eq!(given(&bodies, 1, "there again").await, "there again");
}

#[tokio::test]
async fn one_who_gives_up_loading_strands_nobody() {
    let (bodies, _) = bodies(1 << 20);
    let first = {
        let bodies = Arc::clone(&bodies);
        let never = pending::<Result<Option<String>, Failure>>();
        tokio::spawn(async move { bodies.get_or_load(key(1), never).await })
    };
    yield_now().await;
    let second = {
        let bodies = Arc::clone(&bodies);
        tokio::spawn(async move { given(&bodies, 1, "second").await })
    };
    yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap(), "second");
}

#[tokio::test]
async fn a_body_whose_time_is_over_is_loaded_again() {
    let (bodies, clock) = bodies(1 << 20);
    given(&bodies, 1, "old").await;
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(given(&bodies, 1, "new").await, "old");
    clock.advance(Duration::from_millis(1));
    assert_eq!(bodies.get(&key(1)), None);
    assert_eq!(bodies.get_even_expired(&key(1)).unwrap().as_str(), "old");
    assert_eq!(given(&bodies, 1, "new").await, "new");
    assert_eq!(bodies.get(&key(1)).unwrap().as_str(), "new");
}

#[tokio::test]
async fn while_nothing_can_be_loaded_nothing_expires() {
    let (bodies, clock) = bodies(1 << 20);
    given(&bodies, 1, "one").await;
    given(&bodies, 2, "two").await;
    clock.advance(TTL * 100);
    assert_eq!(bodies.get(&key(2)), None);

    let kept = bodies.get_or_load(key(1), ready(fails())).await.unwrap().unwrap();
    assert_eq!(kept.as_str(), "one");
    // The others too, also for who cannot wait for a load.
    assert_eq!(bodies.get(&key(2)).unwrap().as_str(), "two");
    let missing = bodies.get_or_load(key(3), ready(fails())).await;
    assert_eq!(missing.unwrap_err().flag(), FlagId(3));
    let stats = bodies.counts();
    assert_eq!((stats.hits, stats.stale_hits, stats.misses), (2, 2, 4));

    // The first load that succeeds ends it.
    given(&bodies, 3, "three").await;
    assert_eq!(bodies.get(&key(2)), None);
    assert_eq!(given(&bodies, 1, "one, new").await, "one, new");

    bodies.suspend_expiry();
    assert_eq!(bodies.get(&key(2)).unwrap().as_str(), "two");
    bodies.resume_expiry();
    assert_eq!(bodies.get(&key(2)), None);
}

#[tokio::test]
async fn a_body_larger_than_the_budget_is_given_and_not_held() {
    let (bodies, _) = bodies(1_000);
    let large = "x".repeat(2_000);
    assert_eq!(given(&bodies, 1, &large).await, large);
    assert!(bodies.is_empty());
    assert_eq!(bodies.counts().rejected, 1);
}

/// Room for a tenth of the bodies, asked for as people do: some often, most seldom.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_room_for_a_tenth_every_answer_is_right() {
    const FLAGS: u32 = 1_000;
    let (bodies, _) = bodies(40_000);
    let all = (0..u64::from(FLAGS)).map(|flag| (key(flag), bodies.dated(Arc::new(body(flag)))));
    bodies.cache.insert_all(all);
    assert!(bodies.len() <= FLAGS as usize / 5, "{}", bodies.len());
    let mut all = JoinSet::new();
    for task in 1..=4_u64 {
        let bodies = Arc::clone(&bodies);
        all.spawn(async move {
            let (mut state, mut loaded, mut seen) = (task, 0, HashSet::new());
            for _ in 0..25_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let unit = f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rank"
                )]
                let flag = f64::from(FLAGS - 1).powf(unit) as u64;
                let load = async {
                    loaded += 1;
                    Ok::<_, Failure>(Some(body(flag)))
                };
                let got = bodies.get_or_load(key(flag), load).await.unwrap().unwrap();
                assert_eq!(*got, body(flag));
                seen.insert(flag);
            }
            (loaded, seen.len())
        });
    }
    for (loaded, seen) in all.join_all().await {
        assert!(loaded < 25_000, "nothing was held");
        assert!(900 < seen, "{seen}");
    }
}

#[tokio::test]
async fn a_hot_set_that_fits_is_hit_only() {
    const HOT: u64 = 20;
    let (probe, _) = bodies(1 << 20);
    probe.insert(key(0), Arc::new(body(0)));
    let (bodies, _) = bodies(probe.counts().bytes * (HOT + 4));
    // One after the other on one thread, as a small runtime does it.
    for flag in (0..HOT).chain(0..HOT) {
        given(&bodies, flag, &body(10)).await;
    }
    bodies.cache.settle();
    let warm = bodies.counts();
    assert_eq!((warm.entries, warm.rejected), (HOT, 0), "{warm:?}");
    for flag in (0..HOT).cycle().take(1_000) {
        given(&bodies, flag, "loaded again").await;
    }
    let counts = bodies.counts();
    assert_eq!((counts.misses, counts.hits), (warm.misses, warm.hits + 1_000), "{counts:?}");
}

/// A full budget of a few bodies still lets in what is asked for more often.
#[tokio::test]
async fn a_budget_for_three_bodies_still_admits() {
    let (probe, _) = bodies(1 << 20);
    probe.insert(key(0), Arc::new(body(0)));
    let (bodies, _) = bodies(probe.counts().bytes * 3 + 20);
    for flag in 0..3 {
        given(&bodies, flag, &body(0)).await;
    }
    bodies.cache.settle();
    assert_eq!(bodies.len(), 3);
    // How often it was asked for is noted for many reads at a time.
    let is_let_in = (0..1_000).any(|_| {
        for _ in 0..64 {
            let _ = bodies.get(&key(7));
        }
        bodies.insert(key(7), Arc::new(body(7)));
        bodies.cache.settle();
        bodies.get(&key(7)).is_some()
    });
    assert!(is_let_in && bodies.len() == 3, "{:?}", bodies.counts());
}

#[tokio::test]
async fn what_a_load_has_inserted_is_not_offered_again() {
    let (bodies, _) = bodies(600);
    let too_large = "x".repeat(10_000);
    for number in 1..=3 {
        let load = async {
            let body = Arc::new(too_large.clone());
            bodies.insert(key(1), Arc::clone(&body));
            Ok::<_, Failure>(Some(body))
        };
        let loaded = bodies.get_or_load(key(1), load).await.unwrap().unwrap();
        assert_eq!(*loaded, too_large);
        let counts = bodies.counts();
        assert_eq!((counts.misses, counts.rejected), (number, number));
    }
}
