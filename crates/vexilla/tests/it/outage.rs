//! One breaker before everything that asks Flagr.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vexilla::{Breaker, BreakerConfig, Client, Config, Context, Source};
use vexilla_domain::{RemoteErrorKind, SourceErrorKind, Strictness};

use crate::remote::{Mood, Remote};
use crate::routing::split;
use crate::scripted::{Answer, Scripted};

/// A client with a breaker that opens after three failures, for 30 seconds.
async fn rig() -> (Arc<Scripted>, Arc<Remote>, Client) {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&split(1, "split")]);
    source.then(Answer::Unchanged);
    let remote = Remote::new(&[&split(1, "split")]);
    let breaker = Breaker::new(BreakerConfig::default()).unwrap();
    let parts = source.parts().with_remote(remote.clone()).with_breaker(breaker);
    let client = Client::new(parts, Config::default()).await.unwrap();
    (source, remote, client)
}

async fn decided(client: &Client) -> Source {
    client.evaluate("split", &Context::new("u1")).await.source
}

fn state(client: &Client) -> String {
    client.stats().breaker.unwrap().into()
}

#[tokio::test(start_paused = true)]
async fn evaluations_that_fail_keep_the_refresh_away_too_and_one_probe_brings_both_back() {
    let (source, remote, client) = rig().await;
    assert_eq!((decided(&client).await, state(&client)), (Source::Remote, "closed".to_owned()));
    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    for _ in 0..5 {
        assert_eq!(decided(&client).await, Source::Standby);
    }
    assert_eq!((remote.asked().0, state(&client)), (4, "open".to_owned()));
    let before = source.fetches.load(Ordering::Relaxed);
    let error = client.refresh().await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Suspended);
    assert_eq!(source.fetches.load(Ordering::Relaxed), before, "it was not asked");

    remote.set(Mood::Answers);
    source.advance(Duration::from_secs(30));
    assert_eq!((decided(&client).await, state(&client)), (Source::Remote, "closed".to_owned()));
    client.refresh().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refreshes_that_fail_keep_evaluations_from_waiting() {
    let (source, remote, client) = rig().await;
    client.refresh().await.unwrap();
    source.then(Answer::Fails);
    for _ in 0..3 {
        client.refresh().await.unwrap_err();
    }
    assert_eq!((decided(&client).await, remote.asked().0), (Source::Standby, 0));
    assert_eq!(state(&client), "open");
    assert_eq!(client.stats().consecutive_failures, 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_refusal_opens_nothing() {
    let (_, remote, client) = rig().await;
    for kind in [RemoteErrorKind::Refused, RemoteErrorKind::BadFlag] {
        remote.set(Mood::Fails(kind));
        for _ in 0..10 {
            assert_eq!(decided(&client).await, Source::Standby);
        }
    }
    assert_eq!((remote.asked().0, state(&client)), (20, "closed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_a_probe_that_is_dropped_has_failed() {
    let (source, remote, client) = rig().await;
    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    for _ in 0..3 {
        decided(&client).await;
    }
    remote.set(Mood::Waits);
    source.advance(Duration::from_secs(30));
    let probe = tokio::spawn({
        let client = client.clone();
        async move { decided(&client).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(state(&client), "half-open");
    assert_eq!(decided(&client).await, Source::Standby, "nobody else is let through");
    assert_eq!(remote.asked().0, 4);
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert_eq!(state(&client), "open");

    source.advance(Duration::from_secs(30));
    remote.set(Mood::Answers);
    assert_eq!(decided(&client).await, Source::Remote);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_says_nothing_about_flagr() {
    let (_, remote, client) = rig().await;
    remote.set(Mood::Waits);
    for _ in 0..10 {
        let asking = tokio::spawn({
            let client = client.clone();
            async move { decided(&client).await }
        });
        tokio::task::yield_now().await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
    }
    assert_eq!((remote.asked().0, state(&client)), (10, "closed".to_owned()));
}
