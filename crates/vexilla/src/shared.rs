//! What the callers of a client and its refresher share.

use std::hash::{BuildHasher, Hasher};

use vexilla_domain::Needs;
use vexilla_storage::SnapshotCell;

use crate::changes::Feed;
use crate::counts::Counts;
use crate::misses::Misses;
use crate::notes::Notes;
use crate::published::Published;

/// The rules, what is counted, and how callers reach the refresher.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cell: SnapshotCell<Published>,
    pub(crate) counts: Counts,
    /// What makes a flag Flagr's to decide; nothing where there is no Flagr to ask.
    pub(crate) needs_flagr: Needs,
    pub(crate) misses: Misses,
    pub(crate) notes: Notes,
    pub(crate) feed: Feed,
}

/// A number from 0 to 1, to spread things in time with.
pub(crate) fn random_fraction() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
