//! While Flagr is away.

use std::time::Duration;

use vexilla_domain::{FlagId, FlagName, RemoteErrorKind, Source};

use super::{SECOND, bench, call};

#[tokio::test]
async fn an_answer_is_given_beyond_its_time_and_says_so() {
    beyond_its_time(RemoteErrorKind::Unavailable).await;
    beyond_its_time(RemoteErrorKind::Suspended).await;
}

async fn beyond_its_time(failure: RemoteErrorKind) {
    let bench = bench(|it| it.keep_stale = SECOND * 60);
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.flagr.fail(failure);
    bench.clock.advance(SECOND * 10);
    for _ in 0..2 {
        let stale = bench.ask(&call).await.unwrap();
        assert_eq!(stale.evaluation.source, Source::RemoteCached);
        assert!(stale.evaluation.freshness.stale);
    }
    assert_eq!(bench.cached.counts().stale_hits, 2);
    assert_eq!(bench.flagr.asked(), 3);

    bench.clock.advance(Duration::from_millis(59_999));
    assert!(bench.ask(&call).await.unwrap().evaluation.freshness.stale);
    bench.clock.advance(Duration::from_millis(1));
    let error = bench.ask(&call).await.unwrap_err();
    assert_eq!(error.kind(), failure);

    bench.flagr.recover();
    let fresh = bench.ask(&call).await.unwrap();
    assert_eq!(fresh.evaluation.source, Source::Remote);
    assert!(!fresh.evaluation.freshness.stale);
}

#[tokio::test]
async fn a_flagr_that_refuses_is_not_away() {
    for kind in [RemoteErrorKind::Refused, RemoteErrorKind::BadFlag] {
        let bench = bench(|_| ());
        bench.ask(&call("u1")).await.unwrap();
        bench.flagr.fail(kind);
        bench.clock.advance(SECOND * 10);
        assert_eq!(bench.ask(&call("u1")).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn an_answer_of_a_flag_that_has_changed_is_not_given_in_an_outage() {
    let bench = bench(|_| ());
    bench.ask(&call("u1")).await.unwrap();
    bench.flagr.fail(RemoteErrorKind::Unavailable);
    bench.ask(&call("u1")).await.unwrap(); // not even asked
    bench.ask(&call("u1").with(|it| it.snapshot_id = 71)).await.unwrap_err();
    bench.cached.forget(&FlagName { id: FlagId(7), key: "".into() });
    bench.ask(&call("u1")).await.unwrap_err();
}

#[tokio::test]
async fn a_flag_that_changes_while_flagr_fails_is_not_given_stale() {
    let bench = bench(|_| ());
    let call = call("u1");
    bench.ask(&call).await.unwrap();
    bench.flagr.fail(RemoteErrorKind::Unavailable);
    bench.flagr.hold();
    bench.clock.advance(SECOND * 10);
    let asking = bench.ask(&call);
    let meanwhile = async {
        bench.flagr.is_asked(2).await;
        bench.cached.forget_all();
        bench.flagr.release(1);
    };
    let (answer, ()) = tokio::join!(asking, meanwhile);
    answer.unwrap_err();
}
