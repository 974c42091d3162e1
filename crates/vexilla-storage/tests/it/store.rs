//! What is saved and loaded.

use std::error::Error;
use std::sync::Arc;

use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, FlagArchive, Revision, Secret};
use vexilla_storage::RedisArchive;

use crate::server::RedisServer;
use crate::{config, connect, flags, load};

fn check_error<T: std::fmt::Debug>(
    result: Result<T, ArchiveError>,
    kind: ArchiveErrorKind,
) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let cause = error.source().map(|it| format!(": {it}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[tokio::test]
async fn what_one_instance_saves_another_loads() {
    let server = RedisServer::start();
    let (one, other) = (connect(server.port), connect(server.port));
    assert_eq!(load(&other).await, None);
    one.save(&flags(1, 9)).await.unwrap();
    assert_eq!(load(&other).await, Some((1, 9)));
    one.save(&flags(1, 10)).await.unwrap(); // not compared as texts
    one.save(&flags(1, 10)).await.unwrap(); // the same, confirmed again
    let text = check_error(other.save(&flags(1, 9)).await, ArchiveErrorKind::Superseded);
    let name = format!("redis 127.0.0.1:{}/0", server.port);
    assert_eq!(text, format!("{name} holds the later revision 1.10"));
    // Two that asked Flagr for themselves count alike.
    let same = Archived { document: (*b"{\"Flags\":[]}\n").into(), ..flags(1, 10) };
    let text = check_error(other.save(&same).await, ArchiveErrorKind::Superseded);
    assert_eq!(text, format!("{name} holds other flags as revision 1.10"));
    other.save(&flags(2, 0)).await.unwrap();
    let last = Revision::MOST - 1;
    other.save(&flags(last, last)).await.unwrap();
    let almost = flags(last, last - 1);
    check_error(one.save(&almost).await, ArchiveErrorKind::Superseded);
    assert_eq!(load(&one).await, Some((last, last)));
    assert_eq!(one.describe(), name);
}

#[tokio::test]
async fn a_revision_that_cannot_be_is_damage_and_keeps_nothing_out() {
    for (epoch, sequence) in [(0, u64::MAX), (u64::MAX, 1), (Revision::MOST, 0)] {
        let server = RedisServer::start();
        let archive = connect(server.port);
        // As somebody else would write it who counts so far.
        archive.save(&flags(epoch, sequence)).await.unwrap();
        check_error(archive.load().await, ArchiveErrorKind::Corrupt);
        assert_eq!(archive.held().await.unwrap(), None);
        archive.save(&flags(0, 4)).await.unwrap();
        assert_eq!(load(&archive).await, Some((0, 4)));
    }
}

#[tokio::test]
async fn a_missing_password_is_named_in_one_line() {
    let server = RedisServer::start_with(&["--requirepass", "sesame"]);
    let archive = connect(server.port);
    let text = check_error(archive.load().await, ArchiveErrorKind::Unavailable);
    let name = archive.describe();
    let cause = text.strip_prefix(&format!("{name} wants a password: ")).unwrap();
    assert_eq!((cause.matches("NOAUTH").count(), cause.contains('\n')), (1, false), "{text}");
    let state = archive.layers();
    assert_eq!(state[0].error.as_deref(), Some(&*text));
    assert_eq!((&*state[0].name, state[0].leads), (&*name, Some(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_of_saves_at_once_stays() {
    let server = RedisServer::start();
    let archives = [Arc::new(connect(server.port)), Arc::new(connect(server.port))];
    let mut order: Vec<_> = (1..=200).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut order);
    let saves: Vec<_> = order
        .into_iter()
        .map(|n| {
            let archive = Arc::clone(&archives[usize::from(n % 2 == 0)]);
            tokio::spawn(async move { archive.save(&flags(n / 50, n % 50)).await })
        })
        .collect();
    for save in saves {
        match save.await.unwrap() {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), ArchiveErrorKind::Superseded, "{error}"),
        }
    }
    for archive in archives {
        assert_eq!(load(&archive).await, Some((4, 0)));
    }
}

#[tokio::test]
async fn databases_and_prefixes_are_apart() {
    let server = RedisServer::start();
    let with = |change: fn(&mut vexilla_storage::RedisConfig)| {
        let mut config = config(server.port);
        change(&mut config);
        RedisArchive::connect(config).unwrap()
    };
    let plain = connect(server.port);
    let prefixed = with(|it| it.key_prefix = "staging:".into());
    let numbered = with(|it| it.database = 3);
    for (sequence, archive) in [(1, &plain), (2, &prefixed), (3, &numbered)] {
        archive.save(&flags(1, sequence)).await.unwrap();
        assert!(archive.leads().await);
    }
    for (sequence, archive) in [(1, &plain), (2, &prefixed), (3, &numbered)] {
        assert_eq!(load(archive).await, Some((1, sequence)));
    }
    assert_eq!(plain.describe(), format!("redis 127.0.0.1:{}/0", server.port));
    let with_prefix = format!("redis 127.0.0.1:{}/0 with the prefix `staging:`", server.port);
    assert_eq!(prefixed.describe(), with_prefix);
    assert_eq!(numbered.describe(), format!("redis 127.0.0.1:{}/3", server.port));
}

#[tokio::test]
async fn what_others_keep_under_our_key_is_left_alone() {
    for foreign in [
        &["SET", "vexilla:flags", "mine"][..],
        &["HSET", "vexilla:flags", "colour", "red"],
        &["HSET", "vexilla:flags", "epoch", "1", "sequence", "2", "checksum", "", "flags", "x"],
    ] {
        let server = RedisServer::start();
        server.command(foreign).await;
        let before = server.command(&["DUMP", "vexilla:flags"]).await;
        let archive = connect(server.port);
        let text = check_error(archive.save(&flags(1, 1)).await, ArchiveErrorKind::Corrupt);
        let expected = "the key `vexilla:flags` holds something else than flags of Vexilla";
        assert!(text.ends_with(expected), "{text}");
        check_error(archive.load().await, ArchiveErrorKind::Corrupt);
        assert_eq!(server.command(&["DUMP", "vexilla:flags"]).await, before);
    }
}

#[tokio::test]
async fn damaged_flags_are_an_error_until_the_next_save() {
    let server = RedisServer::start();
    let archive = connect(server.port);
    for damage in [
        &["HSET", "vexilla:flags", "flags", "VXFLAGS\n"][..],
        &["HDEL", "vexilla:flags", "flags"],
        &["HSET", "vexilla:flags", "sequence", "00000000000000000007"],
        &["HSET", "vexilla:flags", "sequence", "seven, and not a number"],
    ] {
        server.command(&["DEL", "vexilla:flags"]).await;
        archive.save(&flags(1, 5)).await.unwrap();
        server.command(damage).await;
        check_error(archive.load().await, ArchiveErrorKind::Corrupt);
    }
    server.command(&["DEL", "vexilla:flags"]).await;
    archive.save(&flags(1, 5)).await.unwrap();
    server.command(&["HSET", "vexilla:flags", "flags", "VXFLAGS\n"]).await;
    archive.save(&flags(1, 4)).await.unwrap(); // older, and better than damage
    assert_eq!(load(&archive).await, Some((1, 4)));
}

#[tokio::test]
async fn a_document_has_a_limit_both_ways() {
    let server = RedisServer::start();
    let mut small = config(server.port);
    small.max_document_bytes = 20;
    let (small, large) = (RedisArchive::connect(small).unwrap(), connect(server.port));
    check_error(small.save(&flags(1, 1)).await, ArchiveErrorKind::Unavailable);
    large.save(&flags(1, 1)).await.unwrap();
    check_error(small.load().await, ArchiveErrorKind::Corrupt);
    // Too long to be sent at all.
    let long = "x".repeat(100_000);
    server.command(&["HSET", "vexilla:flags", "flags", &long]).await;
    let text = check_error(small.load().await, ArchiveErrorKind::Corrupt);
    assert!(text.ends_with("holds more than the 20 bytes that are allowed"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let user = ["--user", "alice", "on", ">wonderland", "~vexilla:*", "&vexilla:*", "+@all"];
    let server = RedisServer::start_with(&[&["--requirepass", "sesame"], &user[..]].concat());
    let with = |user: Option<&str>, password: Option<&str>| {
        let mut config = config(server.port);
        config.username = user.map(Into::into);
        config.password = password.map(Secret::new);
        RedisArchive::connect(config).unwrap()
    };
    for (user, password) in [(None, "hunter2"), (Some("alice"), "hunter2"), (Some("bob"), "sesame")]
    {
        let archive = with(user, Some(password));
        let error = archive.load().await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Unavailable);
        assert!(error.to_string().ends_with("refuses the user or the password"), "{error}");
        let shown = format!("{error:?} {archive:?} {}", error.source().unwrap());
        assert!(!shown.contains(password), "{shown}");
        assert!(archive.leads().await);
    }
    let none = with(None, None);
    check_error(none.load().await, ArchiveErrorKind::Unavailable);

    with(None, Some("sesame")).save(&flags(1, 1)).await.unwrap();
    assert_eq!(load(&with(Some("alice"), Some("wonderland"))).await, Some((1, 1)));
}

#[tokio::test]
async fn the_connection_can_be_encrypted() {
    let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/certificates/");
    let file = |name: &str| format!("{certificates}{name}");
    let server = RedisServer::start_with(&[
        "--port",
        "0",
        "--tls-port",
        "{port}",
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("root.pem"),
    ]);
    let mut config = config(server.port);
    config.tls = true;
    let untrusted = RedisArchive::connect(config.clone()).unwrap();
    let text = check_error(untrusted.load().await, ArchiveErrorKind::Unavailable);
    assert!(text.contains("certificate"), "{text}");

    config.extra_roots = include_bytes!("certificates/root.pem").to_vec();
    let archive = RedisArchive::connect(config.clone()).unwrap();
    archive.save(&flags(1, 1)).await.unwrap();
    assert_eq!(load(&archive).await, Some((1, 1)));

    config.tls = false;
    let text = RedisArchive::connect(config.clone()).unwrap_err().to_string();
    assert_eq!(text, "certificates are of no use without TLS");
    (config.tls, config.extra_roots) = (true, b"no certificate".to_vec());
    let text = RedisArchive::connect(config).unwrap_err().to_string();
    assert_eq!(text, "the extra roots are not certificates in PEM");
}
