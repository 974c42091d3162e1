//! How soon do all that share a Redis serve what one of them has found?
//!
//! Three whole clients and a real `redis-server` on the loopback: one client asks the source, the others follow it. A flag
//! is switched again and again; what counts is the time from the publication by the one that asks to the moment at which
//! the last of the others decides by it. Without the program `redis-server` there is no such row.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark reports, or ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use tokio::runtime::Builder;
use vexilla::{Client, Config, Parts, RedisArchive, RedisConfig};
use vexilla_benches::flags;
use vexilla_benches::redis_server::RedisServer;
use vexilla_benches::row::Row;
use vexilla_domain::json::Document;
use vexilla_domain::{Depth, Fetch, Flag, FlagSource, Marker, SourceError, Strictness};

const CHANGES: u64 = 50;

fn main() {
    let Some(redis) = RedisServer::start() else {
        println!("there is no `redis-server` here: the rows of a fleet are left out");
        return;
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let work = "a change from its publication to the last of two followers, 95 of 100";
    let few = runtime.block_on(passing_on(&redis, 10));
    Row::new(&format!("{work}, 10 flags"), "ms", few).at_most(100.0).report();
    let many = runtime.block_on(passing_on(&redis, 10_000));
    Row::new(&format!("{work}, 10,000 flags"), "ms", many).report();
}

/// So many flags, of which the first one is on in every other version.
#[derive(Debug)]
struct Switching {
    flags: Vec<Flag>,
    version: AtomicU64,
}

fn is_on(version: u64) -> bool {
    version.is_multiple_of(2)
}

#[async_trait]
impl FlagSource for Switching {
    async fn fetch(&self, seen: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        let version = self.version.load(Ordering::Relaxed);
        let marker = Marker { max_snapshot_id: Some(version), content: version };
        let document = || {
            let mut flags = self.flags.clone();
            let first = flags.first_mut().unwrap();
            (first.enabled, first.snapshot_id.0) = (is_on(version), version);
            Document { flags, problems: Vec::new() }
        };
        let changed = (seen != Some(&marker)).then(document);
        Ok(Fetch { changed, marker, again_in: None })
    }

    fn describe(&self) -> String {
        "flags of a benchmark".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}

/// The milliseconds that 95 of 100 changes take at most.
async fn passing_on(redis: &RedisServer, count: usize) -> f64 {
    let flags = flags::many(count, flags::PLAIN);
    // Flagr counts its changes on from the ones of these flags.
    let first = 2 * count as u64;
    let source = Arc::new(Switching { flags, version: first.into() });
    let member = async || {
        let mut config = RedisConfig::default();
        (config.port, config.key_prefix) = (redis.port, format!("of-{count}:"));
        let archive = Arc::new(RedisArchive::connect(config).unwrap());
        let parts = Parts::new(Arc::clone(&source) as Arc<dyn FlagSource>).with_archive(archive);
        Client::new(parts, Config::default()).await.unwrap()
    };
    // Who comes first has the lease.
    let (leader, followers) = (member().await, [member().await, member().await]);
    assert_eq!(leader.stats().leads, Some(true));
    assert!(followers.iter().all(|it| it.stats().leads == Some(false)));

    let mut times = Vec::new();
    for version in first + 1..=first + CHANGES {
        let published = seen(&leader, version);
        let followed = followers.each_ref().map(|it| seen(it, version));
        source.version.store(version, Ordering::Relaxed);
        leader.refresh().await.unwrap();
        let published = published.await.unwrap();
        let mut last = published;
        for follower in followed {
            last = last.max(follower.await.unwrap());
        }
        times.push((last - published).as_secs_f64() * 1e3);
    }
    assert!(followers.iter().all(|it| it.stats().leads == Some(false)), "nobody took over");
    for client in followers.iter().chain([&leader]) {
        client.stop().await;
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap();
    println!("  {count} flags: {:.1} ms in the middle, {:.1} ms at most", at(50), at(99));
    at(95)
}

/// When this client decides by this version.
fn seen(client: &Client, version: u64) -> tokio::task::JoinHandle<Instant> {
    let (client, mut changes) = (client.clone(), client.subscribe());
    tokio::spawn(async move {
        let ctx = flags::context();
        let change = changes.next().await.unwrap();
        let on = client.local().bool("flag-0", &ctx, false);
        let now = now();
        assert_eq!(on, is_on(version), "{change:?}");
        assert_eq!(change.changed.len(), 1, "{change:?}");
        now
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}
