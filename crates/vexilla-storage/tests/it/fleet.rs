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
