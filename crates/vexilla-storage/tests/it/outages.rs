//! A Redis that is killed, stopped, silent, or not there yet.

use std::net::TcpListener;
use std::time::Duration;

use vexilla_domain::{ArchiveErrorKind, FlagArchive};
use vexilla_storage::RedisArchive;

use crate::server::{RedisServer, free_port};
use crate::{config, connect, flags, load, until, within};

/// Waits until the archive knows that Redis is gone: everybody then leads.
async fn until_gone(archive: &RedisArchive) {
    within("noticing", async {
        loop {
            match archive.load().await {
                Err(error) if archive.leads().await => {
                    return assert_eq!(error.kind(), ArchiveErrorKind::Unavailable);
                }
                _ => tokio::task::yield_now().await,
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_comes_back_with_its_data_is_used_again() {
    let mut server = RedisServer::start();
    let leader = connect(server.port);
    assert!(leader.leads().await);
    let follower = connect(server.port);
    assert!(!follower.leads().await);
    leader.save(&flags(1, 1)).await.unwrap();
    assert_eq!(load(&follower).await, Some((1, 1)));
    server.kill();
    until_gone(&leader).await;
    until_gone(&follower).await;
    assert_eq!(leader.save(&flags(1, 2)).await.unwrap_err().kind(), ArchiveErrorKind::Unavailable);

    server.restart();
    within("what could not be saved", leader.changed()).await;
    until("coming back", &server, async || follower.load().await.is_ok()).await;
    assert_eq!(load(&follower).await, Some((1, 1)));
    until("coming back", &server, async || leader.save(&flags(1, 2)).await.is_ok()).await;
    within("the news", follower.changed()).await;
    assert_eq!(load(&follower).await, Some((1, 2)));
    until("one leader", &server, async || leader.leads().await != follower.leads().await).await;
}

#[tokio::test]
async fn a_redis_that_lost_its_data_is_filled_again() {
    let mut server = RedisServer::start();
    let (one, other) = (connect(server.port), connect(server.port));
    one.save(&flags(1, 3)).await.unwrap();
    assert_eq!(load(&other).await, Some((1, 3)));
    server.kill();
    server.lose_data();
    server.restart();
    within("the loss", one.changed()).await;
    assert_eq!(load(&one).await, None);
    one.save(&flags(1, 3)).await.unwrap();
    // The other one may come back before that or after.
    let is_back = async || matches!(other.load().await, Ok(Some(_)));
    until("coming back", &server, is_back).await;
    assert_eq!(load(&other).await, Some((1, 3)));
}

#[tokio::test]
async fn a_redis_that_is_stopped_lets_everybody_lead_and_one_when_it_goes_on() {
    let server = RedisServer::start();
    let member = || {
        let mut config = config(server.port);
        (config.lease, config.response_timeout) = (Duration::from_secs(6), Duration::from_secs(2));
        RedisArchive::connect(config).unwrap()
    };
    let leader = member();
    leader.save(&flags(1, 1)).await.unwrap();
    let follower = member();
    assert!(leader.leads().await && !follower.leads().await);
    server.pause();
    until_gone(&leader).await;
    until_gone(&follower).await;
    server.resume();
    until("one leader", &server, async || leader.leads().await != follower.leads().await).await;
    until("coming back", &server, async || follower.load().await.is_ok()).await;
    assert_eq!(load(&follower).await, Some((1, 1)));
}

#[tokio::test]
async fn a_redis_that_never_answers_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(silent.local_addr().unwrap().port());
    config.connect_timeout = Duration::from_millis(50);
    let name = format!("redis 127.0.0.1:{}/0", config.port);
    let archive = RedisArchive::connect(config).unwrap();
    let error = within("giving up", archive.load()).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unavailable);
    assert_eq!(error.to_string(), format!("{name} does not answer in time"));
    assert!(archive.leads().await);
    within("letting go", archive.release()).await;
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_is_used_when_it_is() {
    let port = free_port();
    let archive = connect(port);
    let error = archive.load().await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unavailable);
    assert_eq!(error.to_string(), format!("redis 127.0.0.1:{port}/0 cannot be reached"));
    assert!(archive.leads().await);
    let server = RedisServer::start_at(port);
    until("arriving", &server, async || archive.save(&flags(1, 1)).await.is_ok()).await;
    assert_eq!(load(&archive).await, Some((1, 1)));
}
