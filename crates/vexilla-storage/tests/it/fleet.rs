//! Instances that follow each other, and who of them leads.

use std::time::Duration;

use vexilla_domain::{ArchiveErrorKind, FlagArchive};
use vexilla_storage::RedisArchive;

use crate::proxy::Proxy;
use crate::server::RedisServer;
use crate::{config, connect, flags, load, until, until_leads, within};

/// A lease short enough to wait for, and long enough for a busy machine to renew it in time.
const LEASE: Duration = Duration::from_secs(6);

fn member(port: u16) -> RedisArchive {
    let mut config = config(port);
    config.lease = LEASE;
    RedisArchive::connect(config).unwrap()
}

#[tokio::test]
async fn a_save_is_news_for_the_others_only() {
    let server = RedisServer::start();
    let (one, other) = (connect(server.port), connect(server.port));
    assert_eq!((load(&one).await, load(&other).await), (None, None));
    for sequence in 1..=5 {
        one.save(&flags(1, sequence)).await.unwrap();
        within("the news", other.changed()).await;
        assert_eq!(load(&other).await, Some((1, sequence)));
    }
    tokio::select! {
        biased;
        () = one.changed() => panic!("its own save is no news"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn what_was_there_before_is_news_until_it_is_loaded() {
    let server = RedisServer::start();
    connect(server.port).save(&flags(1, 1)).await.unwrap();
    let late = connect(server.port);
    within("the news", late.changed()).await;
    assert_eq!(load(&late).await, Some((1, 1)));
}

#[tokio::test]
async fn one_leads_and_another_takes_over_when_it_is_released_or_dropped() {
    let server = RedisServer::start();
    // So long a lease that none ends within the test.
    let first = connect(server.port);
    assert!(first.leads().await);
    let (second, third) = (connect(server.port), connect(server.port));
    assert_eq!((second.leads().await, third.leads().await), (false, false));

    first.release().await;
    assert!(!first.leads().await);
    assert_eq!(first.load().await.unwrap_err().kind(), ArchiveErrorKind::Unavailable);
    first.release().await; // once more does no harm
    let (leader, follower) = within("taking over", async {
        tokio::select! {
            () = until_leads(&second) => (&second, &third),
            () = until_leads(&third) => (&third, &second),
        }
    })
    .await;
    assert_eq!((leader.leads().await, follower.leads().await), (true, false));

    let second_led = second.leads().await;
    let last = if second_led {
        drop(second);
        third
    } else {
        drop(third);
        second
    };
    until_leads(&last).await;
}

#[tokio::test]
async fn who_was_cut_off_loses_the_lease_and_follows_when_it_is_back() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port).await;
    let cut_off = member(proxy.port);
    assert!(cut_off.leads().await);
    let other = member(server.port);
    assert!(!other.leads().await);

    // As a process that is stopped, or a host that vanished: the connection stays, and nothing comes any more.
    proxy.freeze();
    until_leads(&other).await;
    other.save(&flags(1, 2)).await.unwrap();
    assert!(cut_off.leads().await, "it cannot know, and asks Flagr for itself");

    proxy.thaw();
    until("following", &server, async || !cut_off.leads().await).await;
    within("what it missed", cut_off.changed()).await;
    assert_eq!(load(&cut_off).await, Some((1, 2)));
    assert!(other.leads().await);
}

#[tokio::test]
async fn a_lease_that_nobody_renews_ends() {
    let server = RedisServer::start();
    server.command(&["SET", "vexilla:lease", "somebody", "PX", "5000"]).await;
    let archive = connect(server.port);
    assert!(!archive.leads().await);
    until_leads(&archive).await; // although its own lease is three times as long
}

#[tokio::test]
async fn a_lease_without_an_end_ends() {
    let server = RedisServer::start();
    server.command(&["SET", "vexilla:lease", "somebody"]).await;
    let archive = member(server.port);
    assert!(!archive.leads().await);
    until_leads(&archive).await;
}

#[tokio::test]
async fn all_lead_where_the_lease_cannot_be_had() {
    let server = RedisServer::start();
    server.command(&["RPUSH", "vexilla:lease", "a", "list", "of", "somebody"]).await;
    let (one, other) = (connect(server.port), connect(server.port));
    assert!(one.leads().await && other.leads().await);
    one.save(&flags(1, 1)).await.unwrap();
    assert_eq!(load(&other).await, Some((1, 1)));
    one.release().await;
    assert_eq!(server.command(&["LLEN", "vexilla:lease"]).await, redis::Value::Int(4));
}

/// Waits until exactly one of them leads, and it is this one.
async fn until_only_leads(server: &RedisServer, leader: &RedisArchive, follower: &RedisArchive) {
    until("handing over", server, async || leader.leads().await && !follower.leads().await).await;
}

#[tokio::test]
async fn who_steps_back_follows_the_one_that_takes_over() {
    let server = RedisServer::start();
    let first = connect(server.port);
    assert!(first.leads().await);
    let second = connect(server.port);
    assert!(!second.leads().await);
    first.step_back().await;
    until_only_leads(&server, &second, &first).await;
    second.step_back().await;
    // Nobody wants it now: both ask for themselves, and no lease is held.
    until("resting", &server, async || first.leads().await && second.leads().await).await;
    assert_eq!(server.command(&["EXISTS", "vexilla:lease"]).await, redis::Value::Int(0));
    let third = connect(server.port);
    assert!(third.leads().await);
    until("following", &server, async || !first.leads().await && !second.leads().await).await;
}

#[tokio::test]
async fn who_cannot_tell_the_others_does_not_lead_them() {
    let server = RedisServer::start();
    let small = {
        let mut config = config(server.port);
        config.max_document_bytes = 20;
        RedisArchive::connect(config).unwrap()
    };
    assert!(small.leads().await);
    let other = connect(server.port);
    assert!(!other.leads().await);
    small.save(&flags(1, 1)).await.unwrap_err();
    until_only_leads(&server, &other, &small).await;
    other.save(&flags(1, 1)).await.unwrap();
    assert_eq!(load(&other).await, Some((1, 1)));
}

#[tokio::test]
async fn all_lead_where_redis_takes_nothing() {
    let server = RedisServer::start();
    let first = connect(server.port);
    assert!(first.leads().await);
    // Only now: whoever connects first gets the lease.
    let second = connect(server.port);
    first.save(&flags(1, 1)).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let text = first.save(&flags(1, 2)).await.unwrap_err().to_string();
    assert!(text.ends_with("refuses"), "{text}");
    until("leading", &server, async || first.leads().await && second.leads().await).await;
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    first.save(&flags(1, 2)).await.unwrap();
}
