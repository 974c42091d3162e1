//! Clients that share one look at Flagr through Redis.

use std::time::Duration;

use serde_json::json;
use vexilla::{Auth, Changes, Client, ClientBuilder, Context, FlagrConfig, RedisConfig, Secret};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::redis_server::RedisServer;
use crate::scripted::flag;

/// A Flagr that has these flags, up to this change.
async fn serve(server: &MockServer, max_id: u64, key: &str) {
    server.reset().await;
    let snapshot = format!(r#""SnapshotID":{max_id},"Key""#);
    let flags = flag(max_id, key, "").replacen("\"Key\"", &snapshot, 1);
    let flags = format!("{{\"Flags\":[{flags}]}}");
    let answers = [
        ("/api/v1/flags/snapshots/max_id", json!({ "maxID": max_id }).to_string()),
        ("/api/v1/export/eval_cache/json", flags),
    ];
    for (at, body) in answers {
        let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(server).await;
    }
}

/// A member of the fleet; Flagr knows it by its name.
fn member(flagr: &MockServer, redis: &RedisServer, name: &str) -> ClientBuilder {
    let mut shared = RedisConfig::default();
    shared.port = redis.port;
    // Time enough for a machine that does much else.
    shared.connect_timeout = Duration::from_secs(20);
    shared.response_timeout = Duration::from_secs(20);
    let mut config = FlagrConfig::new(flagr.uri());
    config.auth = Auth::Bearer(Secret::new(name));
    Client::builder().flagr_with(config).redis(shared)
}

/// How often Flagr was asked by this one.
async fn asked(flagr: &MockServer, name: &str) -> usize {
    let requests = flagr.received_requests().await.unwrap();
    let token = format!("Bearer {name}");
    let is_its = |it: &&wiremock::Request| {
        it.headers.get("authorization").is_some_and(|it| it.as_bytes() == token.as_bytes())
    };
    requests.iter().filter(is_its).count()
}

fn on(client: &Client, key: &str) -> bool {
    client.local().bool(key, &Context::new("u"), false)
}

/// The next flags that come new: who takes over publishes what is there once more.
async fn added(changes: &mut Changes) -> Vec<Box<str>> {
    loop {
        let change = changes.next().await.unwrap();
        if !change.added.is_empty() {
            return change.added;
        }
    }
}

/// Waits for something that happens by itself, and fails if it does not happen at all.
async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), event).await.unwrap()
}

#[tokio::test]
async fn one_asks_flagr_the_others_follow_and_each_asks_for_itself_without_redis() {
    let (flagr, mut redis) = (MockServer::start().await, RedisServer::start());
    serve(&flagr, 5, "a").await;
    let first = member(&flagr, &redis, "first").start().await.unwrap();
    let asked_by_first = asked(&flagr, "first").await;
    let second = member(&flagr, &redis, "second").start().await.unwrap();
    let third = member(&flagr, &redis, "third").start().await.unwrap();
    for client in [&second, &third] {
        client.refresh().await.unwrap();
        assert!(on(client, "a"));
        let origin = format!("redis 127.0.0.1:{}/0, of {}", redis.port, client.stats().source);
        assert_eq!(*client.stats().origin, *origin);
        assert_eq!(client.stats().revision, first.stats().revision);
    }
    assert_eq!((asked(&flagr, "second").await, asked(&flagr, "third").await), (0, 0));
    assert_eq!(asked(&flagr, "first").await, asked_by_first, "nobody asks twice");

    // What the first one finds, the others serve.
    serve(&flagr, 6, "b").await;
    let mut news = [second.subscribe(), third.subscribe()];
    first.refresh().await.unwrap();
    for changes in &mut news {
        assert_eq!(within(added(changes)).await, [Box::<str>::from("b")]);
    }
    assert!(asked(&flagr, "first").await > 0);
    assert_eq!((asked(&flagr, "second").await, asked(&flagr, "third").await), (0, 0));

    // It goes, and another one takes its place.
    first.stop().await;
    let mut counts = (0, 0);
    within(async {
        while counts == (0, 0) {
            second.refresh().await.unwrap();
            third.refresh().await.unwrap();
            counts = (asked(&flagr, "second").await, asked(&flagr, "third").await);
        }
    })
    .await;
    let (leader, follower, follows) =
        if counts.1 == 0 { (&second, &third, "third") } else { (&third, &second, "second") };
    serve(&flagr, 7, "c").await;
    let mut changes = follower.subscribe();
    leader.refresh().await.unwrap();
    assert_eq!(within(added(&mut changes)).await, [Box::<str>::from("c")]);
    follower.refresh().await.unwrap();
    assert_eq!(asked(&flagr, follows).await, 0);

    // Redis goes too: everybody serves on, and asks for itself.
    redis.kill();
    serve(&flagr, 8, "d").await;
    for (client, name) in [(&second, "second"), (&third, "third")] {
        within(async {
            while !on(client, "d") {
                assert!(on(client, "c"));
                client.refresh().await.unwrap();
            }
        })
        .await;
        assert!(asked(&flagr, name).await > 0);
        let source = client.stats().source;
        assert_eq!(client.stats().origin, source);
    }
}

#[tokio::test]
async fn a_redis_that_lost_its_flags_gets_them_from_a_members_disk() {
    let (flagr, mut redis) = (MockServer::start().await, RedisServer::start());
    let folder = tempfile::tempdir().unwrap();
    serve(&flagr, 5, "a").await;
    let builder = member(&flagr, &redis, "first").archive_dir(folder.path());
    let first = builder.start().await.unwrap();

    redis.kill();
    flagr.reset().await;
    redis.restart();
    // Without Flagr, a new member can have them from there only.
    let late = within(async {
        loop {
            if let Ok(client) = member(&flagr, &redis, "late").start().await {
                break client;
            }
        }
    })
    .await;
    assert!(on(&late, "a"));
    assert!(late.stats().origin.starts_with("redis 127.0.0.1:"), "{}", late.stats().origin);
    late.stop().await;
    first.stop().await;
    drop(first); // and its hold on the folder

    // And the disk has them still, with both away.
    redis.kill();
    let builder = member(&flagr, &redis, "first").archive_dir(folder.path());
    let again = builder.start().await.unwrap();
    assert!(on(&again, "a"));
    assert!(again.stats().origin.starts_with("disk, generation "), "{}", again.stats().origin);
    assert!(again.stats().stale);
}

#[tokio::test]
async fn a_follower_keeps_on_its_disk_what_it_found_in_redis() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    let folder = tempfile::tempdir().unwrap();
    serve(&flagr, 5, "a").await;
    let first = member(&flagr, &redis, "first").start().await.unwrap();
    let builder = member(&flagr, &redis, "second").archive_dir(folder.path());
    builder.start().await.unwrap().stop().await;
    assert_eq!(asked(&flagr, "second").await, 0);
    drop((first, redis));

    flagr.reset().await;
    let mut config = FlagrConfig::new(flagr.uri());
    config.retries = 0;
    let builder = Client::builder().flagr_with(config).archive_dir(folder.path());
    assert!(on(&builder.start().await.unwrap(), "a"));
}

#[tokio::test]
async fn a_confirmation_counts_for_those_who_follow_and_without_flagr_all_expire() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    serve(&flagr, 5, "a").await;
    let start = async |name| {
        let builder = member(&flagr, &redis, name).refresh_interval(Duration::from_millis(100));
        builder.max_staleness(Duration::from_secs(3)).start().await.unwrap()
    };
    let first = start("first").await;
    let second = start("second").await;
    let at = |client: &Client| client.stats().refreshed_at.unwrap();
    let begin = at(&second);
    // Longer than all that was confirmed in the beginning is good for.
    within(async {
        while at(&second) < begin + Duration::from_secs(4) || !on(&second, "a") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(asked(&flagr, "second").await, 0, "it heard so from the first one");
    assert_eq!(first.stats().revision, second.stats().revision);
    assert_eq!(second.stats().revision.sequence, 1, "nothing was announced");

    flagr.reset().await;
    within(async {
        while first.readiness().is_ready() || second.readiness().is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!on(&second, "a") && second.stats().stale);

    serve(&flagr, 5, "a").await;
    within(async {
        while !(on(&first, "a") && on(&second, "a")) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_setting_that_cannot_work_is_named() {
    let mut config = RedisConfig::default();
    config.lease = Duration::ZERO;
    let builder = Client::builder().flagr("http://127.0.0.1:1").redis(config);
    let error = builder.start().await.unwrap_err().to_string();
    assert_eq!(error, "configuration: redis: the lease is shorter than 100 ms");
}
