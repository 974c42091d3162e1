//! Several threads, one breaker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use vexilla_breaker::{Breaker, BreakerConfig, State, Transition};

const THREADS: u64 = 4;
const CALLS: u64 = 5_000;

/// A breaker that opens at the first failure, for 3 ms, and waits for a probe as long as it takes.
fn breaker(observer: impl Fn(Transition) + Send + Sync + 'static) -> Breaker {
    let mut config = BreakerConfig::default();
    config.failure_threshold = 1;
    config.open_for = Duration::from_millis(3);
    config.half_open_limit = Duration::from_secs(1 << 20);
    Breaker::with_observer(config, observer).unwrap()
}

/// The service never comes back, so whoever is admitted is a probe.
#[test]
fn at_most_one_probe_is_out() {
    let (start, breaker) = (crate::start(), breaker(|_| {}));
    breaker.admit(start).unwrap().failed(start);
    let (ticks, out, probes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for call in 0..CALLS {
                    let tick = ticks.fetch_add(1, Ordering::Relaxed);
                    let now = start + Duration::from_millis(tick);
                    let Ok(permit) = breaker.admit(now) else { continue };
                    assert_eq!(out.fetch_add(1, Ordering::SeqCst), 0, "another probe is out");
                    probes.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                    out.fetch_sub(1, Ordering::SeqCst);
                    if call % 2 == 0 { permit.failed(now) } else { drop(permit) }
                }
            });
        }
    });

    let (probes, counts) = (probes.into_inner(), breaker.counts());
    assert!(0 < probes);
    assert_eq!(counts.opened, probes + 1);
    assert_eq!(counts.rejected, THREADS * CALLS - probes);
}

/// Successes, failures and dropped permits in any order: what the observer is told is a chain, and ends where the
/// breaker is.
#[test]
fn the_observer_sees_a_chain() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (start, breaker) = (
        crate::start(),
        breaker({
            let told = Arc::clone(&told);
            move |transition| told.lock().unwrap().push((transition.from, transition.to))
        }),
    );
    let ticks = AtomicU64::new(0);

    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (breaker, ticks) = (&breaker, &ticks);
            scope.spawn(move || {
                for call in 0..CALLS {
                    let tick = ticks.fetch_add(1, Ordering::Relaxed);
                    let now = start + Duration::from_millis(tick);
                    let Ok(permit) = breaker.admit(now) else { continue };
                    match (call + thread) % 5 {
                        0 => permit.failed(now),
                        1 => drop(permit),
                        _ => permit.succeeded(now),
                    }
                }
            });
        }
    });

    let told = told.lock().unwrap();
    assert!(told.windows(2).all(|pair| matches!(pair, [before, after] if before.1 == after.0)));
    assert_eq!(told.first().unwrap().0, State::Closed);
    let end = start + Duration::from_millis(THREADS * CALLS);
    assert_eq!(told.last().unwrap().1, breaker.state(end));
    let opened = told.iter().filter(|it| it.1 == State::Open).count();
    assert_eq!(u64::try_from(opened).unwrap(), breaker.counts().opened);
}
