//! The last good flags as they are kept.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Marker, Revision};

/// Flags as an archive keeps them: enough to serve them, and to go on from there with their source.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Archived {
    /// `{"Flags":[…]}` and a newline: Flagr's export shape.
    pub document: Arc<[u8]>,
    /// What the source knows the flags by.
    pub marker: Marker,
    /// The publication.
    pub revision: Revision,
    /// When the source last confirmed them, in milliseconds since the Unix epoch.
    pub refreshed_at_ms: u64,
    /// The source that they came from, in a few words: flags of one source must not pass for those of another.
    pub source: Box<str>,
    /// Where they were found, in a few words (`disk, generation 2`). Filled in by a load, ignored by a save.
    pub origin: Box<str>,
}

/// Which flags an archive holds, and when their source last confirmed them: a few bytes in place of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The publication.
    pub revision: Revision,
    /// [`Marker::content`] of the flags as they are archived: instances that ask for themselves may count alike.
    pub content: u64,
    /// When the source last confirmed them, in milliseconds since the Unix epoch, by the clock of the one that asked it.
    pub refreshed_at_ms: u64,
}

impl Confirmation {
    /// Whether both speak of the same flags.
    pub fn is_of_same_flags(&self, other: &Self) -> bool {
        (self.revision, self.content) == (other.revision, other.content)
    }
}

/// How far flags are along the history of their source. Revisions are counted wherever flags are published, so of two
/// counts that know nothing of each other the larger one proves nothing: the source's own number of changes goes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The publication.
    pub revision: Revision,
    /// [`Marker::max_snapshot_id`] of the flags.
    pub max_snapshot_id: Option<u64>,
}

impl Progress {
    /// Whether the others are later flags of the same source. In a new epoch the source may have gone back on purpose, as
    /// after a restored backup.
    pub fn is_before(&self, other: &Self) -> bool {
        let changes = match (self.max_snapshot_id, other.max_snapshot_id) {
            (Some(here), Some(there)) => here.cmp(&there),
            _ => Ordering::Equal,
        };
        let epochs = self.revision.epoch.cmp(&other.revision.epoch);
        epochs.then(changes).then(self.revision.cmp(&other.revision)).is_lt()
    }
}

impl Archived {
    /// How far they are along the history of their source.
    pub fn progress(&self) -> Progress {
        Progress { revision: self.revision, max_snapshot_id: self.marker.max_snapshot_id }
    }

    /// What stands for these flags.
    pub fn confirmation(&self) -> Confirmation {
        let Self { revision, marker, refreshed_at_ms, .. } = self;
        Confirmation {
            revision: *revision,
            content: marker.content,
            refreshed_at_ms: *refreshed_at_ms,
        }
    }
}

/// Sizes, not contents: there may be thousands of flags.
impl fmt::Debug for Archived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archived")
            .field("bytes", &self.document.len())
            .field("marker", &self.marker)
            .field("revision", &self.revision)
            .field("refreshed_at", &Duration::from_millis(self.refreshed_at_ms))
            .field("source", &self.source)
            .field("origin", &self.origin)
            .finish()
    }
}
