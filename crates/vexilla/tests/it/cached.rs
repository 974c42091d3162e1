//! Flagr's answers are kept for a while.

use std::sync::Arc;
use std::time::Duration;

use vexilla::{
    Breaker, BreakerConfig, CachedRemoteConfig, Client, Config, Context, Evaluation, Source,
};
use vexilla_domain::{FlagId, FlagName, FlagState, Operator, RemoteErrorKind, Strictness};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::remote::{Mood, Remote};
use crate::routing::split;
use crate::scripted::{Scripted, flag};

/// A client that keeps answers, behind a breaker that opens after three failures.
async fn rig(flags: &[&str]) -> (Arc<Scripted>, Arc<Remote>, Client) {
    rig_of(flags, Remote::new(flags)).await
}

async fn rig_of(flags: &[&str], remote: Arc<Remote>) -> (Arc<Scripted>, Arc<Remote>, Client) {
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, flags);
    let breaker = Breaker::new(BreakerConfig::default()).unwrap();
    let parts = source.parts().with_remote(remote.clone()).with_breaker(breaker);
    let parts = parts.with_remote_cache(CachedRemoteConfig::default()).unwrap();
    let client = Client::new(parts, Config::default()).await.unwrap();
    (source, remote, client)
}

async fn evaluate(client: &Client, key: &str, entity: &str) -> Evaluation {
    client.evaluate(key, &Context::new(entity)).await
}

/// Who decided, and how often Flagr was asked by then.
async fn decided(client: &Client, remote: &Remote, key: &str, entity: &str) -> (Source, u64) {
    (evaluate(client, key, entity).await.source, remote.asked().0)
}

#[tokio::test]
async fn the_same_question_is_asked_once() {
    let (source, remote, client) = rig(&[&split(1, "split")]).await;
    let first = evaluate(&client, "split", "u1").await;
    assert_eq!((first.source, remote.asked().0), (Source::Remote, 1));
    source.advance(Duration::from_secs(5));
    let again = evaluate(&client, "split", "u1").await;
    assert_eq!((again.source, remote.asked().0), (Source::RemoteCached, 1));
    assert_eq!(again.variant_key(), first.variant_key());
    let since = again.freshness.refreshed_at_ms;
    assert_eq!((since, again.freshness.stale), (first.freshness.refreshed_at_ms, false));
    assert_eq!(again.freshness.revision, client.stats().revision);

    assert_eq!(decided(&client, &remote, "split", "u2").await, (Source::Remote, 2));
    let more = Context::new("u1").with("country", "US");
    assert_eq!(client.evaluate("split", &more).await.source, Source::Remote);
    let stats = client.stats();
    let counts = stats.remote_cache.unwrap();
    assert_eq!((counts.hits, counts.misses, counts.entries), (1, 3, 3));
    assert_eq!((stats.hits(), stats.misses()), (1, 3));
    client.stop().await;
}

async fn is_asked_anew(before: &str, after: &str) {
    let (source, remote, client) = rig_of(&[before], Remote::new(&[after])).await;
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::Remote, 1));
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::RemoteCached, 1));
    source.then_numbered(6, &[after]);
    client.refresh().await.unwrap();
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::Remote, 2));
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::RemoteCached, 2));
}

#[tokio::test]
async fn a_flag_that_changed_is_asked_anew() {
    let numbered = |number: u64| {
        let id = format!(r#""SnapshotID":{number},"Key":"split""#);
        split(1, "split").replace(r#""Key":"split""#, &id)
    };
    is_asked_anew(&numbered(5), &numbered(6)).await;
    // Of a Flagr that does not say which snapshot a flag is, its content tells.
    is_asked_anew(&split(1, "split"), &split(1, "split").replace(":50", ":40,\"X\":1")).await;
}

#[tokio::test]
async fn a_flag_that_did_not_change_is_not() {
    let (source, remote, client) = rig(&[&split(1, "split")]).await;
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::Remote, 1));
    source.then_numbered(6, &[&split(1, "split"), &flag(2, "new", "")]);
    client.refresh().await.unwrap();
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::RemoteCached, 1));
}

#[tokio::test]
async fn what_an_operator_invalidates_is_asked_anew() {
    let (source, remote, client) = rig(&[&split(1, "split"), &split(2, "other")]).await;
    for key in ["split", "other"] {
        evaluate(&client, key, "u1").await;
    }
    let held = vexilla_domain::json::read_flags(format!("[{}]", split(1, "split")).as_bytes());
    source.knows(1, FlagState::Found(Box::new(held.unwrap().flags.remove(0))));
    let name = FlagName { id: FlagId(0), key: "split".into() };
    Operator::reread(&client, &[name]).await.unwrap();
    assert_eq!(decided(&client, &remote, "split", "u1").await, (Source::Remote, 3));
    assert_eq!(decided(&client, &remote, "other", "u1").await, (Source::RemoteCached, 3));
    Operator::reread_all(&client).await.unwrap();
    assert_eq!(decided(&client, &remote, "other", "u1").await, (Source::Remote, 4));
}

#[tokio::test]
async fn an_answer_outlives_its_time_while_flagr_is_away() {
    let (source, remote, client) = rig(&[&split(1, "split")]).await;
    let first = evaluate(&client, "split", "u1").await;
    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    source.advance(Duration::from_secs(60));
    for _ in 0..10 {
        let stale = evaluate(&client, "split", "u1").await;
        assert_eq!((stale.source, stale.freshness.stale), (Source::RemoteCached, true));
        assert_eq!(stale.variant_key(), first.variant_key());
        assert_eq!(stale.freshness.refreshed_at_ms, first.freshness.refreshed_at_ms);
    }
    assert_eq!(client.stats().breaker.as_deref(), Some("open"));
    assert_eq!(remote.asked().0, 4, "three failures, and no more");
    assert_eq!(client.stats().remote_cache.unwrap().stale_hits, 10);
    assert_eq!(evaluate(&client, "split", "u2").await.source, Source::Standby);

    remote.set(Mood::Answers);
    source.advance(Duration::from_secs(30));
    let fresh = evaluate(&client, "split", "u1").await;
    assert_eq!((fresh.source, fresh.freshness.stale), (Source::Remote, false));
}

#[tokio::test]
async fn what_flagr_records_is_asked_each_time() {
    let recorded = r#""Enabled":true,"DataRecordsEnabled":true"#;
    let recorded = flag(1, "recorded", "").replace(r#""Enabled":true"#, recorded);
    let (_, remote, client) = rig(&[&recorded]).await;
    for asked in 1..=3 {
        assert_eq!(decided(&client, &remote, "recorded", "u1").await, (Source::Remote, asked));
    }
}

#[tokio::test]
async fn answers_are_kept_unless_told_otherwise() {
    let server = MockServer::start().await;
    let answer = |at: &str, body: String| {
        let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
        Mock::given(path(format!("/api/v1/{at}"))).respond_with(answer).mount(&server)
    };
    answer("flags/snapshots/max_id", r#"{"maxID":5}"#.to_owned()).await;
    let flags = format!(r#"{{"Flags":[{}]}}"#, split(1, "split"));
    answer("export/eval_cache/json", flags).await;
    let answered = r#"{"evalContext":{"entityID":"u1","flagKey":"split"},"evalDebugLog":{"segmentDebugLogs":null},
        "flagID":1,"flagKey":"split","segmentID":1,"variantID":11,"variantKey":"a","variantAttachment":{}}"#;
    answer("evaluation", answered.to_owned()).await;
    let asked = async || {
        let requests = server.received_requests().await.unwrap();
        requests.iter().filter(|it| it.method == "POST").count()
    };

    let client = Client::builder().flagr(server.uri()).start().await.unwrap();
    for source in [Source::Remote, Source::RemoteCached, Source::RemoteCached] {
        assert_eq!(evaluate(&client, "split", "u1").await.source, source);
    }
    assert_eq!(asked().await, 1);
    client.stop().await;

    let builder = Client::builder().flagr(server.uri()).no_remote_cache();
    let client = builder.start().await.unwrap();
    for _ in 0..3 {
        assert_eq!(evaluate(&client, "split", "u1").await.source, Source::Remote);
    }
    assert_eq!((asked().await, client.stats().remote_cache), (4, None));

    let config = CachedRemoteConfig { ttl: Duration::ZERO, ..CachedRemoteConfig::default() };
    let builder = Client::builder().flagr(server.uri()).remote_cache(config);
    let error = builder.start().await.unwrap_err();
    let expected = "configuration: remote_cache: `ttl` must be longer than nothing";
    assert_eq!(error.to_string(), expected);
}
