//! Calls that look for changes first: unknown keys, and those that want to be sure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vexilla::{Client, Config, Consistency, Context, Reason};
use vexilla_domain::Strictness;

use crate::refresh::settle;
use crate::scripted::{Answer, Scripted, flag};

async fn rig() -> (Arc<Scripted>, Client) {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let client = source.client(Config::default()).await;
    (source, client)
}

fn fetches(source: &Scripted) -> u64 {
    source.fetches.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_once_in_an_interval_however_many_ask() {
    let (source, client) = rig().await;
    source.then(Answer::Wait);
    let ask = || {
        let client = client.clone();
        tokio::spawn(async move { client.evaluate("nope", &Context::new("u")).await.reason })
    };
    let asking: Vec<_> = (0..1000).map(|_| ask()).collect();
    settle().await;
    source.gate.add_permits(10);
    for one in asking {
        assert_eq!(one.await.unwrap(), Reason::NotFound);
    }
    assert_eq!(fetches(&source), 2, "one look for a thousand");
    for _ in 0..10 {
        client.evaluate("nope", &Context::new("u")).await;
    }
    assert_eq!(fetches(&source), 2, "known for the interval");
    source.advance(Duration::from_secs(10));
    client.evaluate("nope", &Context::new("u")).await;
    assert_eq!(fetches(&source), 3, "and then again");
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_was_just_made_is_found() {
    let (source, client) = rig().await;
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "new", "")]);
    assert!(client.bool("new", &Context::new("u"), false).await);
    assert_eq!(client.evaluate_many(&["new"], &Context::new("u")).await[0].reason, Reason::Static);
    assert_eq!(fetches(&source), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_waits_no_longer_than_it_may() {
    let (source, client) = rig().await;
    source.then(Answer::Wait);
    let before = tokio::time::Instant::now();
    assert_eq!(client.evaluate("nope", &Context::new("u")).await.reason, Reason::NotFound);
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    // Who comes meanwhile does not wait again: the look is still under way, and the interval is not over.
    assert_eq!(client.evaluate("nope", &Context::new("u")).await.reason, Reason::NotFound);
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    assert!(client.bool("a", &Context::new("u"), false).await, "known flags never wait");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_the_look_to_the_next() {
    let (source, client) = rig().await;
    source.then(Answer::Wait);
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.evaluate("nope", &Context::new("u")).await }
    });
    settle().await;
    task.abort();
    settle().await;
    source.gate.add_permits(10);
    source.advance(Duration::from_secs(10));
    assert_eq!(client.evaluate("nope", &Context::new("u")).await.reason, Reason::NotFound);
    assert!(fetches(&source) > 2);
}

#[tokio::test(start_paused = true)]
async fn a_strict_call_sees_what_changed_before_it() {
    let (source, client) = rig().await;
    let strict = client.with_consistency(Consistency::Strict);
    source.then_flags(&[&flag(1, "a", "").replace("\"Enabled\":true", "\"Enabled\":false")]);
    assert!(client.bool("a", &Context::new("u"), false).await, "as it was held");
    assert!(!strict.bool("a", &Context::new("u"), false).await);
    assert_eq!(fetches(&source), 2);

    // All who wait while one look is under way share the next.
    source.then(Answer::Wait);
    let ask = || {
        let strict = strict.clone();
        tokio::spawn(async move { strict.evaluate("a", &Context::new("u")).await.reason })
    };
    let first = ask();
    settle().await;
    let rest: Vec<_> = (0..50).map(|_| ask()).collect();
    settle().await;
    source.gate.add_permits(10);
    for one in std::iter::once(first).chain(rest) {
        assert_eq!(one.await.unwrap(), Reason::Disabled);
    }
    assert_eq!(fetches(&source), 4);

    source.then(Answer::Fails);
    assert_eq!(
        strict.evaluate("a", &Context::new("u")).await.reason,
        Reason::Disabled,
        "an outage"
    );
    source.gate.forget_permits(100);
    source.then(Answer::Wait);
    assert_eq!(strict.evaluate("a", &Context::new("u")).await.reason, Reason::Disabled, "in time");
}
