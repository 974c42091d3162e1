//! What is kept, what is not, and what makes another question.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vexilla_domain::{
    Batch, Context, Debug, FlagId, FlagName, RemoteErrorKind, RemoteEvaluator, Source,
};

use super::super::{CachedRemote, CachedRemoteConfig};
use super::fake::{Call, Fake};
use super::{SECOND, bench, call};
use crate::CacheConfigError;
use crate::test_clock::TestClock;

const REMOTE: Source = Source::Remote;
const CACHED: Source = Source::RemoteCached;

#[tokio::test]
async fn an_answer_is_given_again_and_says_from_when_it_is() {
    let bench = bench(|_| ());
    let call = call("u1");
    let first = bench.ask(&call).await.unwrap();
    bench.clock.advance(SECOND * 3);
    let again = bench.ask(&call).await.unwrap();
    assert_eq!((first.evaluation.source, again.evaluation.source), (REMOTE, CACHED));
    assert_eq!(first.evaluation.freshness.refreshed_at_ms, 0);
    assert_eq!(again.evaluation.freshness.refreshed_at_ms, TestClock::BEGINNING_MS);
    assert!(!again.evaluation.freshness.stale);
    assert_eq!(again.evaluation.variant, first.evaluation.variant);
    assert_eq!(again.entity_id, first.entity_id);

    bench.clock.advance(SECOND * 7);
    assert_eq!(bench.source(&call).await, (REMOTE, 2));
    let stats = bench.cached.counts();
    assert_eq!((stats.hits, stats.misses, stats.stale_hits), (1, 2, 0));
    assert_eq!((stats.admitted, stats.entries), (2, 1));
    assert!(0 < stats.bytes);
}

#[tokio::test]
async fn every_part_of_the_question_counts() {
    let bench = bench(|_| ());
    let plain = call("u1");
    let headers = |value: &str| {
        let headers: Arc<[_]> = Arc::from([("x-plan".into(), value.into())]);
        Context::new("u1").with("country", "US").with_headers(headers)
    };
    let number = |text: &str| {
        let number = vexilla_domain::Number::from_json_text(text).unwrap();
        Context::new("u1").with("country", vexilla_domain::Value::Number(number))
    };
    let calls = [
        plain.clone(),
        plain.with(|it| it.flag_key = "light-mode"),
        plain.with(|it| (it.flag_id, it.flag_key) = (7, "")),
        plain.with(|it| it.id = 8),
        plain.with(|it| it.snapshot_id = 71),
        plain.with(|it| it.context = Context::new("u1")),
        plain.with(|it| it.context = Context::new("u2").with("country", "US")),
        plain.with(|it| it.context = Context::new("u1").with("country", "DE")),
        plain.with(|it| it.context = it.context.clone().with("age", 30)),
        plain.with(|it| it.context = it.context.clone().with_entity_type("user")),
        plain.with(|it| it.context = headers("free")),
        plain.with(|it| it.context = headers("paid")),
        plain.with(|it| it.context = number("1.5")),
        plain.with(|it| it.context = number("1.50")),
    ];
    for (before, call) in calls.iter().enumerate() {
        assert_eq!(bench.source(call).await, (REMOTE, before + 1), "{call:?}");
    }
    for call in &calls {
        assert_eq!(bench.source(call).await, (CACHED, calls.len()), "{call:?}");
    }
}

async fn is_never_kept(call: Call) {
    let bench = bench(|_| ());
    for asked in 1..=3 {
        assert_eq!(bench.source(&call).await, (REMOTE, asked));
    }
    assert_eq!(bench.cached.counts().admitted, 0);
}

#[tokio::test]
async fn an_anonymous_entity_is_drawn_anew_each_time() {
    is_never_kept(call("")).await;
}

#[tokio::test]
async fn a_log_is_asked_for_each_time() {
    is_never_kept(call("u1").with(|it| it.debug = Debug::On)).await;
}

#[tokio::test]
async fn an_answer_by_an_older_snapshot_is_asked_for_again() {
    let bench = bench(|_| ());
    bench.flagr.behind.store(1, Ordering::SeqCst);
    for asked in 1..=2 {
        assert_eq!(bench.source(&call("u1")).await, (REMOTE, asked));
    }
    bench.flagr.behind.store(0, Ordering::SeqCst);
    assert_eq!(bench.source(&call("u1")).await, (REMOTE, 3));
    assert_eq!(bench.source(&call("u1")).await, (CACHED, 3));
}

#[tokio::test]
async fn what_flagr_is_to_record_is_asked_for_each_time() {
    is_never_kept(call("u1").with(|it| it.data_records_enabled = true)).await;
}

#[tokio::test]
async fn flagr_knows_best_what_it_records() {
    let bench = bench(|_| ());
    bench.flagr.record();
    let unknown = call("u1").with(|it| (it.id, it.snapshot_id) = (0, 0));
    for asked in 1..=3 {
        assert_eq!(bench.source(&unknown).await, (REMOTE, asked));
    }
}

#[tokio::test]
async fn records_may_be_given_up() {
    let bench = bench(|it| it.cache_data_records = true);
    bench.flagr.record();
    let call = call("u1").with(|it| it.data_records_enabled = true);
    assert_eq!(bench.source(&call).await, (REMOTE, 1));
    assert_eq!(bench.source(&call).await, (CACHED, 1));
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let bench = bench(|_| ());
    for kind in [RemoteErrorKind::BadFlag, RemoteErrorKind::Refused, RemoteErrorKind::Unavailable] {
        bench.flagr.fail(kind);
        let before = bench.flagr.asked();
        for _ in 0..2 {
            let error = bench.ask(&call("u1")).await.unwrap_err();
            assert_eq!((error.kind(), &*error.to_string()), (kind, "flagr is not well"));
            let cause = std::error::Error::source(&error).unwrap();
            assert_eq!(cause.to_string(), "the cause");
        }
        assert_eq!(bench.flagr.asked(), before + 2);
    }
    bench.flagr.recover();
    assert_eq!(bench.source(&call("u1")).await, (REMOTE, 7));
}

#[tokio::test]
async fn a_flag_that_is_said_to_have_changed_is_asked_for_anew() {
    let bench = bench(|_| ());
    let by_key = call("u1");
    let by_id = call("u1").with(|it| (it.flag_id, it.flag_key, it.id) = (7, "", 0));
    let other = call("u1").with(|it| (it.flag_key, it.id) = ("light-mode", 8));
    let ask_all = async || {
        (bench.source(&by_key).await.0, bench.source(&by_id).await.0, bench.source(&other).await.0)
    };
    assert_eq!(ask_all().await, (REMOTE, REMOTE, REMOTE));
    assert_eq!(ask_all().await, (CACHED, CACHED, CACHED));
    bench.cached.forget(&FlagName { id: FlagId(7), key: "".into() });
    assert_eq!(ask_all().await, (REMOTE, REMOTE, CACHED));
    assert_eq!(ask_all().await, (CACHED, CACHED, CACHED));
    bench.cached.forget(&FlagName { id: FlagId(0), key: "light-mode".into() });
    assert_eq!(ask_all().await, (CACHED, CACHED, REMOTE));
    bench.cached.forget_all();
    assert_eq!(ask_all().await, (REMOTE, REMOTE, REMOTE));
    assert_eq!(ask_all().await, (CACHED, CACHED, CACHED));
}

#[tokio::test]
async fn forgetting_more_flags_than_are_counted_forgets_all() {
    let bench = bench(|_| ());
    assert_eq!(bench.source(&call("u1")).await, (REMOTE, 1));
    for id in 100..11_000 {
        bench.cached.forget(&FlagName { id: FlagId(id), key: "".into() });
    }
    assert_eq!(bench.source(&call("u1")).await, (REMOTE, 2));
    assert_eq!(bench.source(&call("u1")).await, (CACHED, 2));
}

#[tokio::test]
async fn a_batch_is_handed_on() {
    let bench = bench(|_| ());
    assert_eq!(bench.cached.evaluate_batch(Batch::default()).await.unwrap(), []);
    assert_eq!((bench.flagr.batches(), bench.flagr.asked()), (1, 0));
}

#[test]
fn what_is_out_of_bounds_has_a_name() {
    let check = |change: fn(&mut CachedRemoteConfig), expected| {
        let mut config = CachedRemoteConfig::default();
        change(&mut config);
        let made = CachedRemote::new(Arc::new(Fake::default()), TestClock::new(), config);
        assert_eq!(made.err(), expected);
    };
    check(|_| (), None);
    check(|it| it.refresh_ahead = Duration::ZERO, None);
    check(|it| it.keep_stale = Duration::MAX, None);
    check(|it| it.ttl = Duration::ZERO, Some(CacheConfigError::Ttl));
    check(|it| it.refresh_ahead = it.ttl, Some(CacheConfigError::RefreshAhead));
    check(|it| it.cache.max_cost = 0, Some(CacheConfigError::MaxCost));
}

#[tokio::test]
async fn what_is_printed_names_nobody() {
    let bench = bench(|_| ());
    bench.ask(&call("somebody@example.org")).await.unwrap();
    assert!(!format!("{:?}", bench.cached).contains("somebody"));
}
