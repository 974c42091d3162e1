//! When flags were confirmed, as one instance tells the others.

use redis::Value;
use vexilla_domain::{Confirmation, FlagArchive};
use vexilla_storage::RedisArchive;

use crate::server::RedisServer;
use crate::{config, connect, flags, load};

fn at(sequence: u64, refreshed_at_ms: u64) -> Confirmation {
    Confirmation { refreshed_at_ms, ..flags(1, sequence).confirmation() }
}

/// How many bytes Redis has sent.
async fn sent(server: &RedisServer) -> u64 {
    let Value::BulkString(info) = server.command(&["INFO", "stats"]).await else { panic!() };
    let info = String::from_utf8(info).unwrap();
    let line = info.lines().find_map(|it| it.strip_prefix("total_net_output_bytes:"));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn the_others_hear_of_it_without_reading_the_flags() {
    let server = RedisServer::start();
    let (one, other) = (connect(server.port), connect(server.port));
    assert_eq!(other.held().await.unwrap(), None);
    assert!(!one.confirm(&at(1, 5)).await.unwrap(), "there is nothing yet");
    let large: Vec<u8> = (0..1_000_000).map(|_| fastrand::u8(b' '..b'~')).collect();
    let large = vexilla_domain::Archived { document: large.into(), ..flags(1, 1) };
    one.save(&large).await.unwrap();
    assert_eq!(other.held().await.unwrap(), Some(flags(1, 1).confirmation()));
    let before = sent(&server).await;
    for ms in 1..=20 {
        let ms = 1_800_000_000_000 + ms;
        assert!(one.confirm(&at(1, ms)).await.unwrap());
        assert_eq!(other.held().await.unwrap(), Some(at(1, ms)));
    }
    let bytes = sent(&server).await - before;
    assert!(bytes < 100_000, "{bytes} bytes");
    let loaded = other.load().await.unwrap().unwrap();
    assert_eq!(loaded.confirmation(), at(1, 1_800_000_000_020));
}

#[tokio::test]
async fn it_speaks_of_the_flags_that_it_names_only() {
    let server = RedisServer::start();
    let (one, other) = (connect(server.port), connect(server.port));
    one.save(&flags(1, 2)).await.unwrap();
    for unknown in [1, 3] {
        assert!(!one.confirm(&at(unknown, 9)).await.unwrap());
    }
    assert!(one.confirm(&at(2, 1_900_000_000_000)).await.unwrap());
    one.save(&flags(1, 3)).await.unwrap();
    assert_eq!(other.held().await.unwrap(), Some(flags(1, 3).confirmation()));
    assert_eq!(load(&other).await, Some((1, 3)));
}

#[tokio::test]
async fn a_version_that_knows_of_no_confirmations_saves_beside_us() {
    let server = RedisServer::start();
    let archive = connect(server.port);
    archive.save(&flags(1, 2)).await.unwrap();
    assert!(archive.confirm(&at(2, 1_900_000_000_000)).await.unwrap());
    let confirmed = server.command(&["HGET", "vexilla:flags", "confirmed"]).await;
    archive.save(&flags(1, 3)).await.unwrap();
    // It saves its flags and leaves what it does not know.
    let Value::BulkString(confirmed) = confirmed else { panic!("{confirmed:?}") };
    let confirmed = String::from_utf8(confirmed).unwrap();
    server.command(&["HSET", "vexilla:flags", "confirmed", &confirmed]).await;
    assert_eq!(archive.held().await.unwrap(), None, "only a load can tell");
    assert_eq!(load(&archive).await, Some((1, 3)));
    assert!(archive.confirm(&at(3, 7)).await.unwrap());
    assert_eq!(archive.held().await.unwrap(), Some(at(3, 7)));
}

#[tokio::test]
async fn a_foreign_confirmation_says_nothing() {
    let server = RedisServer::start();
    let archive = connect(server.port);
    archive.save(&flags(1, 2)).await.unwrap();
    let content = flags(1, 2).marker.content;
    for text in [
        "",
        "1 2",
        "1 2 x 9",
        &format!("1 2 {content} -9"),
        &format!("1 2 {content} 9 9"),
        &format!("1 2 {content} 99999999999999999999999"),
        &format!("1 9 {content} 9"),
    ] {
        server.command(&["HSET", "vexilla:flags", "confirmed", text]).await;
        assert_eq!(archive.held().await.unwrap(), None, "{text}");
        assert_eq!(load(&archive).await, Some((1, 2)), "{text}");
    }
    // Of other flags of the same revision it says nothing either.
    server.command(&["HSET", "vexilla:flags", "confirmed", "1 2 7 1900000000000"]).await;
    assert_eq!(load(&archive).await, Some((1, 2)));
    server.command(&["SET", "vexilla:flags", "a text"]).await;
    assert!(!archive.confirm(&at(2, 9)).await.unwrap());
    archive.held().await.unwrap_err();
}

#[tokio::test]
async fn who_only_looks_takes_no_lease() {
    let mut server = RedisServer::start();
    assert_eq!(RedisArchive::peek(config(server.port)).await.unwrap(), None);
    let archive = connect(server.port);
    archive.save(&flags(1, 1)).await.unwrap();
    archive.release().await;
    let mut seen = RedisArchive::peek(config(server.port)).await.unwrap().unwrap();
    assert_eq!(*seen.origin, *archive.describe());
    seen.origin = Box::default();
    assert_eq!(seen, flags(1, 1));
    assert_eq!(server.command(&["EXISTS", "vexilla:lease"]).await, Value::Int(0));
    server.kill();
    let error = RedisArchive::peek(config(server.port)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} cannot be reached", archive.describe()));
}
