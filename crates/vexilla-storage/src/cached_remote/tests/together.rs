//! Many who ask at once, and asking ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinSet, yield_now};
use vexilla_domain::{Answer, RemoteError, RemoteErrorKind, RemoteEvaluator, Source};

use super::fake::Call;
use super::{Bench, SECOND, bench, call};

/// So many ask, and wait.
async fn crowd(bench: &Bench, call: &Call, many: usize) -> JoinSet<Result<Answer, RemoteError>> {
    let arrived = Arc::new(AtomicUsize::new(0));
    let mut all = JoinSet::new();
    for _ in 0..many {
        let (cached, call, arrived) =
            (Arc::clone(&bench.cached), call.clone(), Arc::clone(&arrived));
        all.spawn(async move {
            arrived.fetch_add(1, Ordering::SeqCst);
            cached.evaluate(call.lend()).await
        });
    }
    while arrived.load(Ordering::SeqCst) < many {
        yield_now().await; // on a runtime of one thread, who has arrived waits
    }
    all
}

#[tokio::test]
async fn a_thousand_who_ask_the_same_ask_once() {
    let bench = bench(|_| ());
    bench.flagr.hold();
    let all = crowd(&bench, &call("u1"), 1_000).await;
    bench.flagr.release(1_000);
    let answers = all.join_all().await;
    assert!(answers.into_iter().all(|it| it.unwrap().evaluation.source == Source::Remote));
    assert_eq!(bench.flagr.asked(), 1);
    assert_eq!(bench.cached.shared.flights.len(), 0);
}

#[tokio::test]
async fn a_failure_is_told_to_all_and_the_next_asks_again() {
    let bench = bench(|_| ());
    bench.flagr.hold();
    bench.flagr.fail(RemoteErrorKind::Unavailable);
    let all = crowd(&bench, &call("u1"), 50).await;
    bench.flagr.release(1);
    for failed in all.join_all().await {
        assert_eq!(failed.unwrap_err().kind(), RemoteErrorKind::Unavailable);
    }
    bench.flagr.recover();
    bench.flagr.release(1);
    assert_eq!(bench.source(&call("u1")).await, (Source::Remote, 2));
}

#[tokio::test]
async fn each_has_a_record_of_its_own_where_flagr_records() {
    let bench = bench(|_| ());
    bench.flagr.record();
    bench.flagr.hold();
    let all = crowd(&bench, &call("u1"), 20).await;
    bench.flagr.release(20);
    for answer in all.join_all().await {
        answer.unwrap();
    }
    assert_eq!(bench.flagr.asked(), 20);
}

#[tokio::test]
async fn one_who_goes_away_strands_nobody() {
    let bench = bench(|_| ());
    bench.flagr.hold();
    let mut first = crowd(&bench, &call("u1"), 1).await;
    bench.flagr.is_asked(1).await;
    let others = crowd(&bench, &call("u1"), 10).await;
    first.shutdown().await;
    bench.flagr.is_asked(2).await;
    bench.flagr.release(1);
    for answer in others.join_all().await {
        answer.unwrap();
    }
    assert_eq!(bench.flagr.asked(), 2);
}

#[tokio::test]
async fn a_panic_poisons_nothing() {
    let bench = bench(|_| ());
    bench.flagr.panic();
    let mut all = crowd(&bench, &call("u1"), 3).await;
    while let Some(ended) = all.join_next().await {
        assert!(ended.unwrap_err().is_panic());
    }
    bench.flagr.recover();
    assert_eq!(bench.source(&call("u1")).await, (Source::Remote, 4));
    assert_eq!(bench.source(&call("u1")).await, (Source::RemoteCached, 4));
}

#[tokio::test]
async fn who_asks_after_a_change_does_not_wait_for_an_answer_from_before() {
    let bench = bench(|_| ());
    bench.flagr.hold();
    let before = crowd(&bench, &call("u1"), 1).await;
    bench.flagr.is_asked(1).await;
    bench.cached.forget_all();
    let after = crowd(&bench, &call("u1"), 1).await;
    bench.flagr.is_asked(2).await;
    bench.flagr.release(2);
    before.join_all().await;
    after.join_all().await;
    assert_eq!(bench.source(&call("u1")).await, (Source::RemoteCached, 2));
}

#[tokio::test]
async fn an_answer_in_use_is_asked_for_ahead_once() {
    let bench = bench(|_| ());
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.clock.advance(Duration::from_millis(7_999));
    assert_eq!(bench.source(&call).await, (Source::RemoteCached, 1));
    assert_eq!(bench.cached.refreshes.len(), 0);

    bench.flagr.hold();
    bench.clock.advance(Duration::from_millis(1));
    for _ in 0..100 {
        // Nobody waits for it.
        assert_eq!(bench.ask(&call).await.unwrap().evaluation.source, Source::RemoteCached);
    }
    bench.flagr.is_asked(2).await;
    assert_eq!(bench.cached.refreshes.len(), 1);
    bench.flagr.release(1);
    while !bench.cached.refreshes.is_empty() {
        yield_now().await;
    }
    assert_eq!(bench.flagr.asked(), 2);

    // The new answer has a whole time of its own.
    bench.clock.advance(SECOND * 7);
    assert_eq!(bench.source(&call).await, (Source::RemoteCached, 2));
}

#[tokio::test]
async fn one_who_comes_too_late_waits_for_what_is_asked_ahead() {
    let bench = bench(|_| ());
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.clock.advance(SECOND * 9);
    bench.flagr.hold();
    bench.ask(&call).await.unwrap();
    bench.flagr.is_asked(2).await;
    bench.clock.advance(SECOND * 2);
    let late = crowd(&bench, &call, 5).await;
    bench.flagr.release(1);
    for answer in late.join_all().await {
        assert_eq!(answer.unwrap().evaluation.source, Source::Remote);
    }
    assert_eq!(bench.flagr.asked(), 2);
}

#[tokio::test]
async fn asking_ahead_in_vain_is_not_repeated_and_harms_nothing() {
    let bench = bench(|_| ());
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.flagr.fail(RemoteErrorKind::Unavailable);
    bench.clock.advance(SECOND * 9);
    for _ in 0..10 {
        assert!(!bench.ask(&call).await.unwrap().evaluation.freshness.stale);
        while !bench.cached.refreshes.is_empty() {
            yield_now().await;
        }
    }
    assert_eq!(bench.flagr.asked(), 2);
}

#[tokio::test]
async fn an_answer_that_nobody_uses_is_not_asked_for_ahead() {
    let bench = bench(|_| ());
    bench.ask(&call("u1")).await.unwrap();
    bench.clock.advance(SECOND * 9);
    bench.ask(&call("u2")).await.unwrap();
    assert_eq!(bench.cached.refreshes.len(), 0);
}

#[tokio::test]
async fn stopping_ends_what_is_asked_ahead() {
    let bench = bench(|_| ());
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.clock.advance(SECOND * 9);
    bench.flagr.hold();
    bench.ask(&call).await.unwrap();
    bench.flagr.is_asked(2).await;
    bench.cached.stop().await; // though Flagr never answers
    assert!(bench.cached.refreshes.is_empty());

    // All else goes on.
    bench.flagr.release(10);
    bench.clock.advance(SECOND * 2);
    assert_eq!(bench.source(&call).await, (Source::Remote, 3));
    bench.clock.advance(SECOND * 9);
    assert_eq!(bench.source(&call).await, (Source::RemoteCached, 3));
    assert!(bench.cached.refreshes.is_empty());
}

#[tokio::test]
async fn dropping_ends_what_is_asked_ahead() {
    let bench = bench(|_| ());
    bench.ask(&call("u1")).await.unwrap();
    bench.clock.advance(SECOND * 9);
    bench.flagr.hold();
    bench.ask(&call("u1")).await.unwrap();
    bench.flagr.is_asked(2).await;
    let (tasks, flagr) = (bench.cached.refreshes.clone(), Arc::downgrade(&bench.flagr));
    drop(bench);
    tasks.close();
    tasks.wait().await;
    // The cache's last handle goes on a thread of its own; what it held is free then.
    while flagr.strong_count() != 0 {
        yield_now().await;
    }
}

/// Nothing here needs a Tokio runtime but asking ahead, which is left out without one.
#[test]
fn without_a_runtime_nothing_is_asked_ahead() {
    let bench = bench(|_| ());
    let call = call("u1");
    let evaluate = || {
        let mut asking = std::pin::pin!(bench.ask(&call));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match asking.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => answer.unwrap().evaluation.source,
            std::task::Poll::Pending => panic!("nothing is waited for"),
        }
    };
    assert_eq!(evaluate(), Source::Remote);
    bench.clock.advance(SECOND * 9);
    assert_eq!(evaluate(), Source::RemoteCached);
    assert_eq!(bench.flagr.asked(), 1);
}
