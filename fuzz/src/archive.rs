//! The archive on disk. Input: a byte for the kind, then
//!
//! - 0: the file of a generation;
//! - 1: its header, a line feed, and its body, whose checksums are put right, so that what is behind them is reached;
//! - 2: a document of flags, which is saved.
//!
//! A file gives the flags that its own header vouches for, or else those of the generation before it; a document comes
//! back as it was saved, whole and flag by flag. No more memory is used than the limit of the archive allows.

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Archived, FlagArchive, FlagId, Marker, Revision};
use vexilla_storage::{DiskArchive, DiskConfig};

/// The largest document, in bytes.
const LIMIT: usize = 64 * 1024;
const MAGIC: &[u8] = b"VXFLAGS\n";
const FORMAT: u32 = 1;
/// A generation behind all that are saved.
const LAST: &str = "18446744073709551614.flags";

thread_local! {
    static PLACE: OnceCell<Place> = const { OnceCell::new() };
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    PLACE.with(|it| {
        let place = it.get_or_init(Place::new);
        match kind {
            0 => place.check_file(rest),
            1 => drop(sealed(rest).map(|it| place.check_file(&it))),
            _ => place.check_document(rest),
        }
    });
}

/// An archive in a folder of its own, in memory where there is such a file system.
struct Place {
    runtime: Runtime,
    folder: TempDir,
    archive: DiskArchive,
}

impl Place {
    fn new() -> Self {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent).expect("a folder");
        let mut config = DiskConfig::default();
        config.max_document_bytes = LIMIT;
        let archive = DiskArchive::open(folder.path(), config).expect("an archive");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let place = Self { runtime, folder, archive };
        place.save(&archived(b"{\"Flags\":[]}\n"));
        place
    }

    fn load(&self) -> Archived {
        let loaded = self.runtime.block_on(self.archive.load());
        loaded.expect("a good generation").expect("a generation")
    }

    fn save(&self, flags: &Archived) {
        self.runtime.block_on(self.archive.save(flags)).expect("it can be saved");
    }

    fn check_file(&self, file: &[u8]) {
        let before = self.load();
        let path = self.folder.path().join(LAST);
        fs::write(&path, file).expect("a file");
        let after = self.load();
        assert!(after.document.len() <= LIMIT);
        if after.document != before.document || after.revision != before.revision {
            let header = header(file).expect("a header");
            let is = |name: &str, value: u64| assert_eq!(header[name], value, "{name}");
            is("document_bytes", after.document.len().try_into().unwrap());
            is("document_crc32", crc32fast::hash(&after.document).into());
            is("sequence", after.revision.sequence);
        }
        fs::remove_file(path).expect("the file is there");
    }

    fn check_document(&self, document: &[u8]) {
        let Ok(read) = read_flags(document) else { return };
        let flags = archived(&write_flags(&read.flags));
        if LIMIT < flags.document.len() {
            return;
        }
        self.save(&flags);
        assert_eq!(self.load().document, flags.document);
        // Of flags with one id the last one counts.
        for (at, flag) in read.flags.iter().enumerate() {
            if read.flags[at + 1..].iter().all(|it| it.id != flag.id) {
                assert_eq!(self.flag(flag.id).as_ref(), Some(flag));
            }
        }
        assert_eq!(self.flag(FlagId(u64::MAX)).map(|it| it.id), None);
    }

    fn flag(&self, id: FlagId) -> Option<vexilla_domain::Flag> {
        self.runtime.block_on(self.archive.load_flag(id, &|_| true)).expect("it can be read")
    }
}

fn archived(document: &[u8]) -> Archived {
    Archived {
        document: Arc::from(document),
        marker: Marker::default(),
        revision: Revision { epoch: 1, sequence: 1 },
        refreshed_at_ms: 1,
        source: "fuzz".into(),
        origin: Box::default(),
    }
}

/// A file of this header and this body, with the checksums that make it whole.
fn sealed(input: &[u8]) -> Option<Vec<u8>> {
    let end = input.iter().position(|it| *it == b'\n')?;
    let (header, body) = (&input[..end], &input[end + 1..]);
    let mut header: Value = serde_json::from_slice(header).ok()?;
    let fields = header.as_object_mut()?;
    fields.insert("body_bytes".into(), body.len().into());
    fields.insert("body_crc32".into(), crc32fast::hash(body).into());
    let header = header.to_string();

    let start = [MAGIC, &FORMAT.to_le_bytes()].concat();
    let length = u32::try_from(header.len()).ok()?.to_le_bytes();
    let mut checked = crc32fast::Hasher::new();
    for part in [&start, &length[..], header.as_bytes()] {
        checked.update(part);
    }
    let checked = checked.finalize().to_le_bytes();
    Some([&start, &length[..], &checked, header.as_bytes(), body].concat())
}

/// What stands in the header of a file, checksum or not.
fn header(file: &[u8]) -> Option<Value> {
    let length = file.get(MAGIC.len() + 4..)?.first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    serde_json::from_slice(file.get(MAGIC.len() + 12..)?.get(..length)?).ok()
}
