//! Flags from a file.

use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use vexilla_domain::json::Rows;
use vexilla_domain::{Depth, Fetch, FlagSource, Marker, SourceError, SourceErrorKind, Strictness};

/// A file in Flagr's export shape, or its REST list of flags.
///
/// A look at its size and times tells whether it changed, which costs next to nothing; every tenth look reads it all the
/// same, in case it was written twice within the clock tick of its file system.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// What the file looked like when it was last read.
#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// The fingerprint of what was read: a caller that has something else did not get it.
    content: u64,
    looks: u32,
}

/// Size, time of change, and on Unix which file it is.
type Stamp = (u64, Option<SystemTime>, (u64, i64, i64));

/// The longest file that is read.
const MAX_LENGTH: u64 = 64 << 20;

const FULL_READ_EVERY: u32 = 10;

impl FileSource {
    /// Reads from this file. It is not opened before the first fetch.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), seen: Mutex::default() }
    }

    /// Whether the file looks as it did when it was last read.
    fn looks_unchanged(&self, stamp: Stamp, held: &Marker) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.looks += 1;
        seen.stamp == Some(stamp) && seen.content == held.content && seen.looks < FULL_READ_EVERY
    }

    fn was_read(&self, stamp: Stamp, marker: &Marker) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen { stamp: Some(stamp), content: marker.content, looks: 0 };
    }

    fn error(&self, kind: SourceErrorKind, reason: impl std::fmt::Display) -> SourceError {
        SourceError::new(kind, format!("{}: {reason}", self.path.display()))
    }
}

#[async_trait]
impl FlagSource for FileSource {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        Ok(self.fetch_rows(seen, depth).await?.map(Rows::into_document))
    }

    async fn fetch_rows(
        &self,
        seen: Option<&Marker>,
        depth: Depth,
    ) -> Result<Fetch<Rows>, SourceError> {
        let unavailable =
            |error: io::Error| self.error(SourceErrorKind::Unavailable, in_words(&error));
        let path = self.path.clone();
        let stamp = blocking(move || std::fs::metadata(path).map(|it| stamp(&it)))
            .await
            .map_err(unavailable)?;
        if let Some(seen) = seen
            && depth == Depth::Probe
            && self.looks_unchanged(stamp, seen)
        {
            return Ok(Fetch { changed: None, marker: seen.clone(), again_in: None });
        }
        let path = self.path.clone();
        let bytes = blocking(move || read(&path)).await.map_err(unavailable)?;
        let marker = Marker { max_snapshot_id: None, content: hash(&bytes) };
        if seen == Some(&marker) && depth != Depth::Anew {
            self.was_read(stamp, &marker);
            return Ok(Fetch { changed: None, marker, again_in: None });
        }
        let rows = blocking(move || Ok(Rows::read(&bytes)))
            .await
            .map_err(unavailable)?
            .map_err(|error| self.error(SourceErrorKind::Invalid, error))?;
        self.was_read(stamp, &marker);
        Ok(Fetch { changed: Some(rows), marker, again_in: None })
    }

    fn describe(&self) -> String {
        format!("file {}", self.path.display())
    }

    fn strictness(&self) -> Strictness {
        Strictness::Checked
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The file's content, if it is a file and not too long.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("is a folder"));
    }
    let mut bytes = Vec::new();
    if metadata.len() <= MAX_LENGTH {
        file.take(MAX_LENGTH + 1).read_to_end(&mut bytes)?; // it may grow meanwhile
        if bytes.len() as u64 <= MAX_LENGTH {
            return Ok(bytes);
        }
    }
    Err(io::Error::other(format!("is longer than {} MiB, the most that is read", MAX_LENGTH >> 20)))
}

fn stamp(metadata: &Metadata) -> Stamp {
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let identity = (0, 0, 0);
    (metadata.len(), metadata.modified().ok(), identity)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = rapidhash::fast::RapidHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// The system's words, without its number.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".to_owned(),
        _ => error.to_string(),
    }
}
