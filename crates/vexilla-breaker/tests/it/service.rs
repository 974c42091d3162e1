//! The breaker before a tower service, polled by hand: no runtime is needed.

use std::error::Error;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tower::{Layer, Service};
use vexilla_breaker::{Breaker, BreakerLayer, BreakerService, CallError, Outcome, State};

type Answer = Poll<Result<u16, io::ErrorKind>>;
type Classify = fn(&Result<u16, io::ErrorKind>) -> Outcome;

/// A service that says what the test wrote, and insists on being made ready before each call.
#[derive(Clone)]
struct Scripted {
    readiness: Arc<Mutex<Poll<Result<(), io::ErrorKind>>>>,
    asked: Arc<AtomicU64>,
    is_ready: bool,
}

impl Service<Answer> for Scripted {
    type Response = u16;
    type Error = io::ErrorKind;
    type Future = Pin<Box<dyn Future<Output = Result<u16, io::ErrorKind>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::ErrorKind>> {
        let readiness = *self.readiness.lock().unwrap();
        self.is_ready = readiness == Poll::Ready(Ok(()));
        readiness
    }

    fn call(&mut self, answer: Answer) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without being ready");
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::poll_fn(move |_| answer))
    }
}

/// A breaker before a scripted service, and the clock that it looks at.
struct Harness {
    breaker: Breaker,
    inner: Scripted,
    service: BreakerService<Scripted, Classify>,
    start: Instant,
    seconds: Arc<AtomicU64>,
}

type Call = <BreakerService<Scripted, Classify> as Service<Answer>>::Future;
type Called = Poll<Result<u16, CallError<io::ErrorKind>>>;

const WORKS: Answer = Poll::Ready(Ok(200));
const FAILS: Answer = Poll::Ready(Err(io::ErrorKind::TimedOut));
const HANGS: Answer = Poll::Pending;

impl Harness {
    fn new() -> Self {
        let (breaker, start) = (Breaker::default(), crate::start());
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = {
            let seconds = Arc::clone(&seconds);
            move || start + Duration::from_secs(seconds.load(Ordering::Relaxed))
        };
        let classify: Classify = |result| match result {
            Ok(status) if *status < 500 => Outcome::Success,
            Err(io::ErrorKind::Interrupted) => Outcome::Neutral,
            _ => Outcome::Failure,
        };
        let inner = Scripted {
            readiness: Arc::new(Mutex::new(Poll::Ready(Ok(())))),
            asked: Arc::default(),
            is_ready: false,
        };
        let service = BreakerLayer::new(breaker.clone(), classify, clock).layer(inner.clone());
        Self { breaker, inner, service, start, seconds }
    }

    /// Three failures at second 0.
    fn opened() -> Self {
        let mut harness = Self::new();
        for _ in 0..3 {
            assert_eq!(harness.call(FAILS), FAILS.map_err(CallError::Inner));
        }
        harness
    }

    fn at(&mut self, second: u64) -> &mut Self {
        self.seconds.store(second, Ordering::Relaxed);
        self
    }

    fn inner_is(&self, readiness: Poll<Result<(), io::ErrorKind>>) {
        *self.inner.readiness.lock().unwrap() = readiness;
    }

    fn poll_ready(&mut self) -> Poll<Result<(), CallError<io::ErrorKind>>> {
        self.service.poll_ready(&mut Context::from_waker(Waker::noop()))
    }

    fn begin(&mut self, answer: Answer) -> Call {
        assert_eq!(self.poll_ready(), Poll::Ready(Ok(())));
        self.service.call(answer)
    }

    fn call(&mut self, answer: Answer) -> Called {
        poll(pin!(self.begin(answer)))
    }

    /// How long a refused call is to wait.
    fn refused(&mut self) -> Option<u64> {
        seconds_of(self.call(WORKS))
    }

    fn state(&self) -> State {
        self.breaker.state(self.start + Duration::from_secs(self.seconds.load(Ordering::Relaxed)))
    }

    fn asked(&self) -> u64 {
        self.inner.asked.load(Ordering::Relaxed)
    }
}

fn poll(call: Pin<&mut Call>) -> Called {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

fn seconds_of(called: Called) -> Option<u64> {
    match called {
        Poll::Ready(Err(CallError::Rejected(rejected))) => Some(rejected.retry_after().as_secs()),
        _ => None,
    }
}

#[test]
fn results_are_passed_on_and_counted() {
    let mut harness = Harness::new();
    let too_late = Poll::Ready(Ok(504));
    assert_eq!(harness.call(too_late), Poll::Ready(Ok(504)));
    assert_eq!(harness.call(FAILS), Poll::Ready(Err(CallError::Inner(io::ErrorKind::TimedOut))));
    assert_eq!(harness.call(Poll::Ready(Ok(404))), Poll::Ready(Ok(404))); // an answer: counts from zero again
    assert_eq!(harness.call(too_late), Poll::Ready(Ok(504)));
    assert_eq!(harness.call(FAILS), FAILS.map_err(CallError::Inner));
    let neutral = Poll::Ready(Err(io::ErrorKind::Interrupted));
    assert_eq!(harness.call(neutral), neutral.map_err(CallError::Inner));
    assert_eq!(harness.state(), State::Closed);
    assert_eq!(harness.call(too_late), Poll::Ready(Ok(504)));
    assert_eq!(harness.state(), State::Open);
    assert_eq!(harness.asked(), 7);
}

#[test]
fn refused_calls_do_not_reach_the_service() {
    let mut harness = Harness::opened();
    assert_eq!(harness.refused(), Some(30));
    assert_eq!(harness.at(29).refused(), Some(1));
    assert_eq!(harness.asked(), 3);
    assert_eq!(harness.breaker.counts().rejected, 2);
}

#[test]
fn one_probe() {
    let mut harness = Harness::opened();
    let mut probe = harness.at(30).begin(HANGS);
    assert_eq!(harness.state(), State::HalfOpen, "the call is the probe, polled or not");
    assert_eq!(poll(Pin::new(&mut probe)), Poll::Pending);
    assert_eq!(harness.at(31).refused(), Some(9));
    assert_eq!(harness.asked(), 4);

    assert_eq!(harness.at(40).refused(), Some(30), "it did not answer in time");
    assert_eq!(harness.at(70).call(WORKS), Poll::Ready(Ok(200)));
    assert_eq!(harness.state(), State::Closed);
    drop(probe);
    assert_eq!(harness.state(), State::Closed);
}

#[test]
fn dropped_futures() {
    let mut harness = Harness::new();
    for _ in 0..9 {
        drop(harness.begin(HANGS));
    }
    assert_eq!(harness.state(), State::Closed);

    let mut harness = Harness::opened();
    drop(harness.at(30).begin(HANGS));
    assert_eq!(harness.refused(), Some(30));
}

/// A probe must say something, or nobody would ever probe again.
#[test]
fn a_neutral_probe_is_a_failure() {
    let mut harness = Harness::opened();
    let neutral = Poll::Ready(Err(io::ErrorKind::Interrupted));
    assert_eq!(harness.at(30).call(neutral), neutral.map_err(CallError::Inner));
    assert_eq!(harness.refused(), Some(30));
}

#[test]
fn readiness_is_that_of_the_service() {
    let mut harness = Harness::new();
    harness.inner_is(Poll::Pending);
    assert_eq!(harness.poll_ready(), Poll::Pending);
    for _ in 0..9 {
        harness.inner_is(Poll::Ready(Err(io::ErrorKind::BrokenPipe)));
        let broken = CallError::Inner(io::ErrorKind::BrokenPipe);
        assert_eq!(harness.poll_ready(), Poll::Ready(Err(broken)));
    }
    assert_eq!(harness.state(), State::Closed, "no result of a call");
}

#[test]
fn while_it_refuses_it_is_ready_without_the_service() {
    let mut harness = Harness::opened();
    harness.inner_is(Poll::Pending);
    assert_eq!(harness.at(29).refused(), Some(1));

    // Ready at 29, called at 30: the service inside was not made ready, so this is no probe.
    assert_eq!(harness.at(29).poll_ready(), Poll::Ready(Ok(())));
    let mut late = harness.at(30).service.call(WORKS);
    assert_eq!(seconds_of(poll(Pin::new(&mut late))), Some(1));
    assert_eq!((harness.state(), harness.asked()), (State::Open, 3));
    assert_eq!(harness.breaker.counts().rejected, 2);

    assert_eq!(harness.poll_ready(), Poll::Pending, "the next one may go, so the service counts");
}

#[test]
fn getting_ready_is_no_probe() {
    let mut harness = Harness::opened();
    let mut other = harness.service.clone();
    assert_eq!(harness.at(30).poll_ready(), Poll::Ready(Ok(())));
    assert_eq!(harness.state(), State::Open);

    let waker = &mut Context::from_waker(Waker::noop());
    assert_eq!(other.poll_ready(waker), Poll::Ready(Ok(())));
    let _probe = other.call(HANGS);
    let mut second = harness.service.call(WORKS); // ready when nobody was the probe, too late now
    assert_eq!(seconds_of(poll(Pin::new(&mut second))), Some(10));
}

#[test]
fn errors_in_words() {
    fn is_an_error<E: Error>() {}
    is_an_error::<CallError<io::Error>>();

    let words = |called: Called| match called {
        Poll::Ready(Err(error)) => error.to_string(),
        other => panic!("{other:?} is no error"),
    };
    let failed = |kind: io::ErrorKind| Poll::Ready(Err(CallError::Inner(kind)));
    assert_eq!(words(failed(io::ErrorKind::TimedOut)), "timed out");
    let refused = "refused after too many failures, try again in 30.0s";
    assert_eq!(words(Harness::opened().call(WORKS)), refused);
}
