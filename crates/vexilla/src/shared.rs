//! What the callers of a client and its refresher share.

use vexilla_domain::Needs;
use vexilla_storage::SnapshotCell;

use crate::changes::Feed;
use crate::counts::Counts;
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
    pub(crate) misses: Misses,
    pub(crate) notes: Notes,
    pub(crate) feed: Feed,
    /// Who is told of single evaluations, if anybody is.
    pub(crate) watch: Option<Watch>,
}
