//! What the callers of a client and its refresher share.

use std::sync::atomic::AtomicBool;
use std::sync::{OnceLock, RwLock};

use vexilla_domain::{FlagFilter, Needs};
use vexilla_storage::SnapshotCell;

use crate::changes::Feed;
use crate::counts::Counts;
use crate::courier::Courier;
use crate::expiry::Expiry;
use crate::misses::Misses;
use crate::notes::Notes;
use crate::published::Published;
use crate::watch::Watch;

/// The rules, what is counted, and how callers reach the refresher.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cell: SnapshotCell<Published>,
    pub(crate) counts: Counts,
    /// What makes a flag Flagr's to decide; nothing where there is no Flagr to ask.
    pub(crate) needs_flagr: Needs,
    /// What makes Flagr record a flag that is decided here; nothing where it is not to.
    pub(crate) replayed: Needs,
    /// Brings impressions to Flagr, where there is one.
    pub(crate) exposures: OnceLock<Courier>,
    /// Brings evaluations to Flagr, where it is to record them.
    pub(crate) replays: OnceLock<Courier>,
    /// When the rules are too old.
    pub(crate) expiry: Expiry,
    pub(crate) misses: Misses,
    pub(crate) notes: Notes,
    pub(crate) feed: Feed,
    /// Which flags are kept. The refresher has its own.
    pub(crate) filter: RwLock<FlagFilter>,
    /// Who is told of single evaluations, if anybody is.
    pub(crate) watch: Option<Watch>,
    /// Whether it was said that the client is about to be stopped.
    pub(crate) ending: AtomicBool,
    /// Whether the refresher has ended by a panic.
    pub(crate) has_failed: AtomicBool,
}
