//! The archive in Redis, against the real one.

#![cfg(feature = "redis")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by it"
)]

mod confirmed;
mod fleet;
mod outages;
mod proxy;
mod server;
mod store;

use std::future::Future;
use std::time::Duration;

use vexilla_domain::{Archived, FlagArchive, Marker, Revision};
use vexilla_storage::{RedisArchive, RedisConfig};

use server::RedisServer;

/// Waits for something that happens by itself, and fails if it does not happen at all.
async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(Duration::from_secs(60), event).await;
    in_time.unwrap_or_else(|_| panic!("{what}: not within a minute"))
}

/// The defaults, with time enough for a machine that does much else.
fn config(port: u16) -> RedisConfig {
    let mut config = RedisConfig::default();
    config.port = port;
    config.connect_timeout = Duration::from_secs(20);
    config.response_timeout = Duration::from_secs(20);
    config
}

fn connect(port: u16) -> RedisArchive {
    RedisArchive::connect(config(port)).unwrap()
}

fn flags(epoch: u64, sequence: u64) -> Archived {
    let document = format!("{{\"Flags\":[{{\"ID\":{sequence},\"Key\":\"flag-{epoch}\"}}]}}\n");
    Archived {
        document: document.into_bytes().into(),
        marker: Marker { max_snapshot_id: Some(sequence), content: u64::MAX - sequence },
        revision: Revision { epoch, sequence },
        refreshed_at_ms: 1_700_000_000_000 + sequence % 1_000,
        source: "flagr http://flagr:18000".into(),
        origin: Box::default(),
    }
}

/// What is in the archive, which must be exactly what was saved.
async fn load(archive: &RedisArchive) -> Option<(u64, u64)> {
    let mut loaded = archive.load().await.unwrap()?;
    assert_eq!(*loaded.origin, *archive.describe());
    loaded.origin = Box::default();
    let Revision { epoch, sequence } = loaded.revision;
    assert_eq!(loaded, flags(epoch, sequence));
    Some((epoch, sequence))
}

/// Waits until the archive leads, woken by its own news.
async fn until_leads(archive: &RedisArchive) {
    within("taking over", async {
        while !archive.leads().await {
            archive.changed().await;
        }
    })
    .await;
}

/// Asks again and again, as often as Redis answers something else.
async fn until(what: &str, server: &RedisServer, holds: impl AsyncFn() -> bool) {
    within(what, async {
        while !holds().await {
            server.answers().await;
        }
    })
    .await;
}
