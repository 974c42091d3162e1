//! Flags for the tests of archives.

use vexilla_domain::{Archived, Marker, Revision};

/// Small flags of this revision, different from those of every other one.
pub(crate) fn flags(epoch: u64, sequence: u64) -> Archived {
    Archived {
        document: format!("{{\"Flags\":[{{\"ID\":{sequence},\"Key\":\"flag-{epoch}\"}}]}}\n")
            .into_bytes()
            .into(),
        marker: Marker { max_snapshot_id: Some(sequence), content: u64::MAX - sequence },
        revision: Revision { epoch, sequence },
        refreshed_at_ms: 1_700_000_000_000 + sequence,
        source: "flagr http://flagr:18000".into(),
        origin: Box::default(),
    }
}

/// The same flags as they come back, without what a load adds.
pub(crate) fn saved(loaded: Archived) -> Archived {
    Archived { origin: Box::default(), ..loaded }
}
