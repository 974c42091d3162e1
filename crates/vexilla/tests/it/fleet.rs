//! Clients that share one look at Flagr through Redis.

use std::time::Duration;

use serde_json::json;
use vexilla::{
    Auth, Changes, Client, ClientBuilder, Consistency, Context, FlagrConfig, RedisConfig, Secret,
};
use vexilla_domain::Operator;
use wiremock::matchers::{header, method, path};
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

/// Lets Flagr refuse this one, and answer the others as before.
async fn refuse(server: &MockServer, name: &str) {
    let answer = ResponseTemplate::new(503);
    let token = format!("Bearer {name}");
    let mock = Mock::given(header("authorization", token.as_str())).respond_with(answer);
    mock.with_priority(1).mount(server).await;
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
    let leads = |client: &Client| client.stats().leads == Some(true);
    within(async {
        while !leads(&second) && !leads(&third) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (leader, follower, follows) =
        if leads(&second) { (&second, &third, "third") } else { (&third, &second, "second") };
    serve(&flagr, 7, "c").await;
    let mut changes = follower.subscribe();
    leader.refresh().await.unwrap();
    assert_eq!(within(added(&mut changes)).await, [Box::<str>::from("c")]);
    assert_eq!(asked(&flagr, follows).await, 0);
    assert_eq!(follower.stats().leads, Some(false));
    // What somebody wants to know now is asked of Flagr itself.
    follower.refresh().await.unwrap();
    assert!(asked(&flagr, follows).await > 0);

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

/// A leader and a follower that look for themselves once in an hour at most.
async fn pair(flagr: &MockServer, redis: &RedisServer) -> (Client, Client) {
    serve(flagr, 5, "a").await;
    let start = async |name| {
        let builder = member(flagr, redis, name).refresh_interval(Duration::from_secs(3600));
        builder.start().await.unwrap()
    };
    let pair = (start("first").await, start("second").await);
    assert_eq!((pair.0.stats().leads, pair.1.stats().leads), (Some(true), Some(false)));
    assert_eq!(asked(flagr, "second").await, 0);
    pair
}

#[tokio::test]
async fn who_follows_asks_flagr_where_it_is_wanted() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    let (first, second) = pair(&flagr, &redis).await;
    // By hand, as `POST /admin/refresh` does.
    serve(&flagr, 6, "b").await;
    let mut changes = first.subscribe();
    Operator::refresh(&second).await.unwrap();
    assert!(on(&second, "b"));
    assert_eq!(within(added(&mut changes)).await, [Box::<str>::from("b")], "and tells the others");
    // By an evaluation that wants the newest.
    serve(&flagr, 7, "c").await;
    let strict = second.with_consistency(Consistency::Strict);
    assert!(strict.bool("c", &Context::new("u"), false).await);
    // By a key that it does not know.
    serve(&flagr, 8, "d").await;
    assert!(second.bool("d", &Context::new("u"), false).await);
    // By a notice that does not say which flag changed, as the webhook takes it.
    serve(&flagr, 9, "e").await;
    second.notify(&[]);
    within(async {
        while !on(&second, "e") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!first.stats().stale && !second.stats().stale);
}

#[tokio::test]
async fn an_old_folder_does_not_take_the_fleet_back_in_time() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    let folder = tempfile::tempdir().unwrap();
    serve(&flagr, 25, "old").await;
    let alone = || {
        let mut config = FlagrConfig::new(flagr.uri());
        config.retries = 0;
        Client::builder().flagr_with(config).archive_dir(folder.path())
    };
    let before = alone().start().await.unwrap();
    for id in 26..=28 {
        serve(&flagr, id, &format!("old-{id}")).await;
        before.refresh().await.unwrap();
    }
    before.stop().await;
    let counted = before.stats().revision;
    drop(before);

    let (first, second) = {
        serve(&flagr, 29, "new").await;
        let first = member(&flagr, &redis, "first").start().await.unwrap();
        (first, member(&flagr, &redis, "second").start().await.unwrap())
    };
    assert!(first.stats().revision < counted, "it counts on its own");
    flagr.reset().await;
    let third = member(&flagr, &redis, "third").archive_dir(folder.path()).start().await.unwrap();
    let all = [&first, &second, &third];
    within(async {
        while all.iter().any(|it| it.stats().revision <= counted) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for client in all {
        assert!(on(client, "new") && !on(client, "old-28"));
        assert_eq!(client.stats().max_snapshot_id, 29);
    }
}

#[tokio::test]
async fn a_redis_that_takes_nothing_freezes_nobody() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    let folder = tempfile::tempdir().unwrap();
    serve(&flagr, 5, "a").await;
    let interval = Duration::from_millis(100);
    let first = member(&flagr, &redis, "first").refresh_interval(interval).start().await.unwrap();
    let builder = member(&flagr, &redis, "second").refresh_interval(interval);
    let second = builder.archive_dir(folder.path()).start().await.unwrap();
    let arrives = async |key: &str| {
        within(async {
            while !(on(&first, key) && on(&second, key)) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    serve(&flagr, 6, "b").await;
    arrives("b").await;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    redis.command(&["SET", "vexilla:flags", "hello"]);
    serve(&flagr, 7, "c").await;
    arrives("c").await;
    let says_so = |client: &Client| client.stats().archives.iter().any(|it| it.error.is_some());
    within(async {
        while !says_so(&second) || first.stats().archive_error.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_has_lost_flagr_lets_another_one_lead() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    serve(&flagr, 5, "a").await;
    let interval = Duration::from_millis(100);
    let cut_off = member(&flagr, &redis, "cut off").refresh_interval(interval);
    let cut_off = cut_off.start().await.unwrap();
    assert_eq!(cut_off.stats().leads, Some(true));
    let other = member(&flagr, &redis, "other").refresh_interval(interval).start().await.unwrap();
    refuse(&flagr, "cut off").await;
    within(async {
        while other.stats().leads != Some(true) || cut_off.stats().leads != Some(false) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(async {
        while cut_off.stats().stale || other.stats().stale {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_revision_that_cannot_be_ends_nothing() {
    let (flagr, redis) = (MockServer::start().await, RedisServer::start());
    let (first, second) = pair(&flagr, &redis).await;
    redis.command(&["HSET", "vexilla:flags", "sequence", "18446744073709551615"]);
    serve(&flagr, 6, "b").await;
    let mut changes = second.subscribe();
    first.refresh().await.unwrap();
    assert_eq!(within(added(&mut changes)).await, [Box::<str>::from("b")]);
    assert!(first.readiness().is_ready() && second.readiness().is_ready());
    assert_eq!(first.stats().revision, second.stats().revision);
}

#[tokio::test]
async fn a_setting_that_cannot_work_is_named() {
    let mut config = RedisConfig::default();
    config.lease = Duration::ZERO;
    let builder = Client::builder().flagr("http://127.0.0.1:1").redis(config);
    let error = builder.start().await.unwrap_err().to_string();
    assert_eq!(error, "configuration: redis: the lease is shorter than 100 ms");
}
