//! Where Vexilla keeps what it serves: the published rules, counters that threads do not share, and archives.
//!
//! [`SnapshotCell`] holds one value that is read all the time and replaced now and then. It is replaced whole, so a
//! reader sees either all of the old rules or all of the new ones, and a read writes nothing that another thread reads.
//! Which flags exist is never decided by a cache. What the feature `memory` adds may forget (`BoundedCache`, and on it
//! `BoundedBodies` and `CachedRemote`), and so holds only what can be had elsewhere again.
//!
//! ```
//! use std::sync::Arc;
//! use vexilla_storage::SnapshotCell;
//!
//! let rules = SnapshotCell::new(Arc::new("first"));
//! rules.publish(Arc::new("second"));
//! assert_eq!(*rules.load(), "second");
//! ```
//!
//! An archive keeps the last good flags over a restart: `DiskArchive` (feature `disk`) in a folder, `RedisArchive`
//! (feature `redis`) for a fleet, [`MemoryArchive`] for tests, [`StackedArchive`] several of them. What they keep is
//! checked in full when it is loaded: it is what was saved, or an error. A key-value store was rejected for the folder:
//! flags change as a whole, for which a file of its own is ten times as fast, and easier to trust.

mod snapshot;
mod striped;

#[cfg(feature = "memory")]
mod bodies;
#[cfg(feature = "memory")]
mod bounded;
#[cfg(feature = "memory")]
mod cache_config;
#[cfg(feature = "memory")]
mod cache_counts;
#[cfg(feature = "memory")]
mod cached_remote;
#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "memory")]
mod flights;
#[cfg(feature = "disk")]
mod folder_lock;
#[cfg(any(feature = "disk", feature = "memory"))]
mod lane;
mod memory;
#[cfg(feature = "redis")]
mod redis_archive;
#[cfg(test)]
mod sample;
#[cfg(any(feature = "disk", feature = "redis"))]
mod sealed;
#[cfg(feature = "disk")]
mod spool;
mod stacked;
#[cfg(all(test, feature = "memory"))]
mod test_clock;

pub use snapshot::{Lease, SnapshotCell};
pub use striped::Striped;

#[cfg(feature = "memory")]
pub use bodies::{BodyKey, BoundedBodies, LoadError, Loading};
#[cfg(feature = "memory")]
pub use bounded::BoundedCache;
#[cfg(feature = "memory")]
pub use cache_config::{CacheConfig, CacheConfigError};
#[cfg(feature = "memory")]
pub use cached_remote::{CachedRemote, CachedRemoteConfig};
#[cfg(feature = "disk")]
pub use disk::{DiskArchive, DiskConfig};
#[cfg(any(feature = "disk", feature = "memory"))]
pub use lane::{Lane, NotDone};
pub use memory::MemoryArchive;
#[cfg(feature = "redis")]
pub use redis_archive::{RedisArchive, RedisConfig, RedisConfigError};
#[cfg(feature = "disk")]
pub use spool::{Portion, Spool, SpoolConfig};
pub use stacked::StackedArchive;
