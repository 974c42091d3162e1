//! Generations of an archive, as they lie on the disk, and the parts that the target puts together again.

use std::fs;

use serde_json::{Value, json};
use tokio::runtime::Builder;
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Archived, FlagArchive, Marker, Revision};
use vexilla_storage::{DiskArchive, DiskConfig};

/// So many bytes stand before the header; four of them, at 12, are its length.
const PREFIX: usize = 20;
/// Flags for each seed: one fits a small input, many make more than one frame.
const SIZES: [usize; 3] = [0, 1, 3];

/// Pairs of a kind and an input, as `vexilla_fuzz::archive` reads them.
pub(crate) fn seeds(flags: &[Value]) -> Vec<(u8, Vec<u8>)> {
    let mut seeds = Vec::new();
    for size in SIZES {
        for some in flags.chunks(size.max(1)).take(40) {
            let some = some.get(..size).unwrap_or(some);
            let document = json!({"Flags": some}).to_string().into_bytes();
            let file = file(&document);
            let length = file[12..16].try_into().map(u32::from_le_bytes).expect("four bytes");
            let (header, body) = file[PREFIX..].split_at(length as usize);
            seeds.push((1, [header, b"\n", body].concat()));
            seeds.push((0, file.clone()));
            seeds.push((2, document));
        }
    }
    seeds
}

/// What the archive makes of these flags.
fn file(document: &[u8]) -> Vec<u8> {
    let read = read_flags(document).expect("flags");
    let folder = tempfile::tempdir().expect("a folder");
    let archive = DiskArchive::open(folder.path(), DiskConfig::default()).expect("an archive");
    let flags = Archived {
        document: write_flags(&read.flags).into(),
        marker: Marker { max_snapshot_id: Some(1), content: 1 },
        revision: Revision { epoch: 1, sequence: 1 },
        refreshed_at_ms: 1,
        source: "fuzz".into(),
        origin: Box::default(),
    };
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(archive.save(&flags)).expect("it can be saved");
    fs::read(folder.path().join("1.flags")).expect("a generation")
}
