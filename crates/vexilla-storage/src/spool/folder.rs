//! The folder of a spool: who has it, and what a former process left in it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use fs4::TryLockError;
use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind};

use super::marks::{Marks, MarksFile};
use super::record::{Head, find_record, read_segment_head};
use super::{Cursor, EXTENSION, MARKS, MAX_SEGMENT, MAX_WRITE, Segment, Spool};
use crate::folder_lock::make_and_lock;

impl Spool {
    /// Finds out what a former process left.
    pub(super) fn find_segments(&mut self, known: Option<Marks>) -> Result<(), ArchiveError> {
        let mut found = Vec::new();
        let entries = fs::read_dir(&self.path).map_err(|it| self.unavailable("read", it))?;
        for entry in entries {
            let name = entry.map_err(|it| self.unavailable("read", it))?.file_name();
            let name = Path::new(&name);
            let is_ours = name.extension().is_some_and(|it| it == EXTENSION);
            let number = name.file_stem().and_then(|it| it.to_str()).and_then(|it| it.parse().ok());
            if let Some(first) = number.filter(|it| is_ours && self.file_of(*it).ends_with(name)) {
                found.push(first);
            }
        }
        found.sort_unstable();
        let mut newest = self.marks.appended;
        for first in found {
            let content =
                read_from(&self.file_of(first), 0).map_err(|it| self.unavailable("read", it))?;
            match read_segment_head(&content) {
                Head::First(number) if number == first => {}
                Head::Format(format) => {
                    let message = format!(
                        "`{}` has format {format}, which this version of Vexilla does not read",
                        self.file_of(first).display()
                    );
                    return Err(ArchiveError::new(ArchiveErrorKind::Corrupt, message));
                }
                // Without its head, the name is believed as far as the rest bears it out.
                _ if known.is_some_and(|it| (1..=it.appended).contains(&first))
                    || find_record(&content, 0).is_some_and(|it| first <= it.sequence) =>
                {
                    warn!(file = %self.file_of(first).display(), "a file of the spool is damaged");
                }
                _ => {
                    warn!(file = %self.file_of(first).display(), "a file in the spool is none of its own");
                    continue;
                }
            }
            let (mut from, mut is_settled) = (0, true);
            while let Some(record) = find_record(&content, from) {
                from = record.payload.end;
                newest = newest.max(record.sequence);
                is_settled &= record.sequence <= self.marks.settled;
                if is_settled {
                    self.cursor = Cursor { first, offset: from as u64 };
                }
            }
            newest = newest.max(first.saturating_sub(1));
            self.segments.push_back(Segment { first, bytes: content.len() as u64 });
        }
        self.marks.appended = newest;
        if let (None, Some(oldest)) = (known, self.segments.front()) {
            warn!(
                folder = %self.path.display(),
                "the marks of the spool are lost: some records may be sent once more"
            );
            self.marks.settled = oldest.first.saturating_sub(1);
        }
        self.marks.settled = self.marks.settled.min(newest);
        Ok(())
    }
}

/// Takes a folder, and opens the marks in it.
pub(super) fn take(path: &Path) -> Result<(File, MarksFile, Option<Marks>), ArchiveError> {
    let lock = make_and_lock(path).map_err(|error| match error {
        TryLockError::WouldBlock => {
            let message = format!("the folder `{}` is used by another process", path.display());
            ArchiveError::new(ArchiveErrorKind::Locked, message)
        }
        TryLockError::Error(error) => unavailable(path, "used", error),
    })?;
    let (file, marks) =
        MarksFile::open(&path.join(MARKS)).map_err(|error| unavailable(path, "used", error))?;
    Ok((lock, file, marks))
}

pub(super) fn unavailable(path: &Path, what: &str, error: io::Error) -> ArchiveError {
    let message = format!("the folder `{}` cannot be {what}", path.display());
    ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
}

pub(super) fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut content = Vec::new();
    file.take(MAX_SEGMENT + MAX_WRITE).read_to_end(&mut content)?;
    Ok(content)
}

/// Has the names in a folder written to the disk.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where folders can be synced")]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
