//! A queue on disk that outlives the process.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind};

use crate::folder_lock::{is_held, private};
use folder::{read_from, sync_folder, take, unavailable};
use marks::{Marks, MarksFile};
use record::{MAX_RECORD, SEGMENT_HEAD, find_record, segment_head, write_record};

mod folder;
mod marks;
mod record;

const MARKS: &str = "marks";
const EXTENSION: &str = "spool";

/// How much a [`Spool`] keeps.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpoolConfig {
    /// The most bytes that it takes in the folder: 64 MiB. At least 64 KiB.
    pub max_bytes: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { max_bytes: 64 << 20 }
    }
}

/// The least that [`SpoolConfig::max_bytes`] may be.
const LEAST: u64 = 64 << 10;

/// A segment of this length gets no further records.
const MAX_SEGMENT: u64 = 1 << 20;

/// So much is appended at once at most, so that no file is longer than this and that together.
const MAX_WRITE: u64 = 4 << 20;

/// Records in a folder, the oldest of which are looked at, sent elsewhere, and then settled.
///
/// Records are appended to *segments*, files that are deleted when all of their records are settled. When there is no
/// more room, the oldest segment is dropped with all that is in it. Records are numbered, so that whatever is missing,
/// damaged or dropped is counted, once: each record is handed out until it is settled, or it is counted as dropped. The
/// count is kept with the records.
///
/// What was appended is there after the process was killed: it is in the system's hands when [`append`](Self::append)
/// returns. For what is to be there after the power failed, call [`sync`](Self::sync). Damaged files cost the records
/// that are damaged, and those alone. Only one process at a time has the folder.
///
/// Everything here may block.
pub struct Spool {
    path: PathBuf,
    lock: File,
    max_bytes: u64,
    /// The oldest one first.
    segments: VecDeque<Segment>,
    /// The last segment, if this process began it: what another one wrote may end in the middle of a record.
    writer: Option<File>,
    marks_file: MarksFile,
    marks: Marks,
    /// Where the first record that is not settled is looked for.
    cursor: Cursor,
    /// How far the last look went, and where the next one begins once that is settled.
    looked: (u64, Cursor),
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The number of its first record.
    first: u64,
    bytes: u64,
}

/// A place in the segment whose first record has this number.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    first: u64,
    offset: u64,
}

/// The oldest records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Portion {
    /// Their numbers and what they hold.
    pub records: Vec<(u64, Box<[u8]>)>,
    /// The number up to which this is all that is left.
    pub through: u64,
}

impl Spool {
    /// Takes hold of the folder, which is made if it is not there, for as long as the spool lives.
    ///
    /// # Errors
    ///
    /// [`Locked`](ArchiveErrorKind::Locked) if another spool has it, [`Unavailable`](ArchiveErrorKind::Unavailable) if it
    /// cannot be made or written to, [`Corrupt`](ArchiveErrorKind::Corrupt) if a later version of Vexilla wrote it.
    pub fn open(path: impl Into<PathBuf>, config: &SpoolConfig) -> Result<Self, ArchiveError> {
        let path = path.into();
        let (lock, marks_file, known) = take(&path)?;
        let mut spool = Self {
            path,
            lock,
            max_bytes: config.max_bytes.max(LEAST),
            segments: VecDeque::new(),
            writer: None,
            marks_file,
            marks: known.unwrap_or_default(),
            cursor: Cursor::default(),
            looked: (0, Cursor::default()),
        };
        spool.find_segments(known)?;
        spool.keep_marks();
        spool.forget_settled();
        Ok(spool)
    }

    /// Appends records, all or none. Others may be dropped to make room, even if they cannot be written then:
    /// [`dropped`](Self::dropped) counts them.
    ///
    /// # Errors
    ///
    /// If they cannot be written now, or are too long to be kept.
    pub fn append<T: AsRef<[u8]>>(&mut self, records: &[T]) -> Result<(), ArchiveError> {
        let mut bytes = Vec::new();
        for (record, sequence) in records.iter().map(AsRef::as_ref).zip(self.next()..) {
            if MAX_RECORD < record.len() {
                return Err(self.too_long(record.len(), MAX_RECORD as u64));
            }
            write_record(&mut bytes, sequence, record);
        }
        let needed = bytes.len() as u64 + SEGMENT_HEAD as u64;
        let most = self.max_bytes.min(MAX_WRITE);
        if most < needed {
            return Err(self.too_long(bytes.len(), most));
        }
        self.find_folder()?;
        self.make_room(needed);
        self.write(&bytes).map_err(|error| self.unavailable("written to", error))?;
        self.marks.appended += records.len() as u64;
        self.keep_marks();
        Ok(())
    }

    /// Looks at the oldest records that are not settled: at most so many, and no more once they have so many bytes.
    ///
    /// # Errors
    ///
    /// If they cannot be read now. What is missing or damaged is left out.
    pub fn look(&mut self, most: usize, most_bytes: usize) -> Result<Portion, ArchiveError> {
        let mut portion = Portion { records: Vec::new(), through: self.marks.settled };
        let mut bytes = 0;
        let mut next = self.cursor;
        for (at, segment) in self.segments.iter().enumerate() {
            let last = self.last_of(at);
            let known = self.cursor.first == segment.first;
            let offset = if known { self.cursor.offset } else { SEGMENT_HEAD as u64 };
            let content = match read_from(&self.file_of(segment.first), offset) {
                Ok(content) => content,
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(self.unavailable("read", error)),
            };
            let mut from = 0;
            while let Some(found) = find_record(&content, from) {
                from = found.payload.end;
                if found.sequence <= portion.through || last < found.sequence {
                    continue; // settled, or another's
                }
                if most <= portion.records.len() || most_bytes <= bytes {
                    self.looked = (portion.through, next);
                    return Ok(portion);
                }
                let payload = content.get(found.payload).unwrap_or_default();
                bytes += payload.len();
                portion.records.push((found.sequence, payload.into()));
                portion.through = found.sequence;
                next = Cursor { first: segment.first, offset: offset + from as u64 };
            }
            portion.through = portion.through.max(last);
        }
        portion.through = portion.through.max(self.marks.appended);
        self.looked = (portion.through, next);
        Ok(portion)
    }

    /// Is done with all records up to this number. So many of them arrived; the others are lost, and so many are given.
    /// Records that were settled before are not counted again.
    pub fn settle(&mut self, through: u64, arrived: u64) -> u64 {
        let through = through.min(self.marks.appended);
        let lost = through.saturating_sub(self.marks.settled).saturating_sub(arrived);
        self.marks.settled = self.marks.settled.max(through);
        self.marks.dropped += lost;
        let (looked, next) = self.looked;
        if looked == through {
            self.cursor = next;
        }
        self.keep_marks();
        self.forget_settled();
        lost
    }

    /// Has what was appended and settled written to the disk.
    ///
    /// # Errors
    ///
    /// If that fails.
    pub fn sync(&mut self) -> Result<(), ArchiveError> {
        let synced = self.writer.as_ref().map_or(Ok(()), File::sync_data);
        let synced =
            synced.and_then(|()| self.marks_file.sync()).and_then(|()| sync_folder(&self.path));
        synced.map_err(|error| self.unavailable("written to", error))
    }

    /// The number up to which all records are settled.
    pub fn settled(&self) -> u64 {
        self.marks.settled
    }

    /// How many records wait. Damaged ones are among them until they are looked at.
    pub fn queued(&self) -> u64 {
        self.marks.appended.saturating_sub(self.marks.settled)
    }

    /// How many records were lost since the spool was made.
    pub fn dropped(&self) -> u64 {
        self.marks.dropped
    }

    /// How many bytes the files take, with what is settled in them.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|it| it.bytes).sum()
    }

    /// How many bytes the records take that wait.
    pub fn queued_bytes(&self) -> u64 {
        let waiting = |(at, segment): (usize, &Segment)| {
            let settled = match segment.first {
                _ if self.last_of(at) <= self.marks.settled => segment.bytes,
                first if first == self.cursor.first => self.cursor.offset,
                _ => SEGMENT_HEAD as u64,
            };
            segment.bytes.saturating_sub(settled)
        };
        self.segments.iter().enumerate().map(waiting).sum()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn next(&self) -> u64 {
        self.marks.appended.saturating_add(1)
    }

    fn file_of(&self, first: u64) -> PathBuf {
        self.path.join(format!("{first:020}.{EXTENSION}"))
    }

    /// The number of the last record that the segment at this place can have.
    fn last_of(&self, at: usize) -> u64 {
        self.segments.get(at + 1).map_or(self.marks.appended, |next| next.first.saturating_sub(1))
    }

    /// Makes sure that what is written now is found by the next process.
    fn find_folder(&mut self) -> Result<(), ArchiveError> {
        if !is_held(&self.lock, &self.path) {
            warn!(folder = %self.path.display(), "the folder of the spool was removed, with all that was in it");
            let (lock, marks_file, _) = take(&self.path)?;
            (self.lock, self.marks_file) = (lock, marks_file);
            self.segments.clear();
            self.writer = None;
        }
        let last = self.segments.back().map(|it| self.file_of(it.first));
        if last.is_some_and(|it| !matches!(it.try_exists(), Ok(true))) {
            self.writer = None;
        }
        Ok(())
    }

    /// Drops segments, the oldest one first, until there is room.
    fn make_room(&mut self, needed: u64) {
        while self.max_bytes < self.bytes() + needed && !self.segments.is_empty() {
            let last = self.last_of(0);
            self.marks.dropped += last.saturating_sub(self.marks.settled);
            self.marks.settled = self.marks.settled.max(last);
            // Before the file goes: what is counted and still there does no harm.
            self.keep_marks();
            self.delete_oldest();
        }
    }

    fn forget_settled(&mut self) {
        let is_written = |spool: &Self| spool.segments.len() == 1 && spool.writer.is_some();
        while !self.segments.is_empty() && self.last_of(0) <= self.marks.settled {
            if is_written(self) && self.segments.front().is_some_and(|it| it.bytes < self.roll_at())
            {
                return;
            }
            self.delete_oldest();
        }
    }

    fn delete_oldest(&mut self) {
        let Some(oldest) = self.segments.pop_front() else { return };
        if self.segments.is_empty() {
            self.writer = None;
        }
        if let Err(error) = fs::remove_file(self.file_of(oldest.first))
            && error.kind() != ErrorKind::NotFound
        {
            warn!(%error, folder = %self.path.display(), "a file of the spool cannot be deleted");
        }
    }

    /// A segment that is this long is followed by another one.
    fn roll_at(&self) -> u64 {
        (self.max_bytes / 16).min(MAX_SEGMENT)
    }

    /// Writes bytes in one go. If that fails, nothing of them is left, or nobody writes behind them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_full = self.segments.back().is_some_and(|it| self.roll_at() <= it.bytes);
        if is_full || self.writer.is_none() {
            self.begin_segment()?;
        }
        let (Some(file), Some(segment)) = (&mut self.writer, self.segments.back_mut()) else {
            return Err(io::Error::other("no segment"));
        };
        match file.write_all(bytes) {
            Ok(()) => {
                segment.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                let cut = file.set_len(segment.bytes);
                if cut.and_then(|()| file.seek(SeekFrom::Start(segment.bytes))).is_err() {
                    self.writer = None;
                }
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        if let Some(full) = self.writer.take() {
            full.sync_data()?;
        }
        let first = self.next();
        let mut file = private().create(true).truncate(true).open(self.file_of(first))?;
        file.write_all(&segment_head(first))?;
        // A segment that never got a record has the same name.
        self.segments.retain(|it| it.first < first);
        self.segments.push_back(Segment { first, bytes: SEGMENT_HEAD as u64 });
        self.writer = Some(file);
        Ok(())
    }

    /// A failure costs no record: the marks are found out anew, but for what was sent already.
    fn keep_marks(&mut self) {
        if let Err(error) = self.marks_file.write(self.marks) {
            warn!(%error, folder = %self.path.display(), "the marks of the spool cannot be written");
        }
    }

    fn unavailable(&self, what: &str, error: io::Error) -> ArchiveError {
        unavailable(&self.path, what, error)
    }

    fn too_long(&self, length: usize, most: u64) -> ArchiveError {
        let message = format!(
            "{length} bytes are more than the {most} that `{}` takes at once",
            self.path.display()
        );
        ArchiveError::new(ArchiveErrorKind::Unavailable, message)
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("path", &self.path)
            .field("marks", &self.marks)
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
