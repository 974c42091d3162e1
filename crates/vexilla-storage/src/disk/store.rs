//! Generations of flags in a folder: which one counts, and which may go.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, Flag, FlagId, Revision};

use super::DiskConfig;
use super::failure::Failure;
use super::folder::Folder;
use super::steps::Steps;
use crate::sealed::{Index, Sealed, most, seal};

/// The generations in a folder. Everything here may block.
pub(super) struct Store {
    directory: PathBuf,
    config: DiskConfig,
    steps: Box<dyn Steps>,
    /// `None` after the folder was lost. Held over a whole load or save: one at a time.
    folder: Mutex<Option<Folder>>,
    /// The newest generation that was reported as damaged: each is reported once.
    reported: AtomicU64,
    /// Where each flag of the newest good generation is; `None` before one was asked for, and after each save. Never held
    /// while the folder is waited for: a save holds that, and then this.
    index: Mutex<Option<Arc<Indexed>>>,
    /// Held by the one who goes through a generation, so that others wait for what comes of it.
    indexing: Mutex<()>,
}

/// A generation, open to read single flags of it.
struct Indexed {
    /// Held for one read.
    file: Mutex<File>,
    index: Index,
}

impl Store {
    pub(super) fn open(
        directory: PathBuf,
        config: DiskConfig,
        steps: Box<dyn Steps>,
    ) -> Result<Self, ArchiveError> {
        let folder = Folder::take(&directory)?;
        let folder = Mutex::new(Some(folder));
        let reported = AtomicU64::new(0);
        let (index, indexing) = (Mutex::default(), Mutex::default());
        Ok(Self { directory, config, steps, folder, reported, index, indexing })
    }

    pub(super) fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.in_folder(|folder| {
            let generations = folder.generations().map_err(|error| self.failed("read", error))?;
            let mut failures = Vec::new();
            for &generation in generations.iter().rev() {
                match self.read(folder, generation) {
                    Ok(mut flags) => {
                        self.report(&failures);
                        flags.origin = origin(generation, &failures).into();
                        return Ok(Some(flags));
                    }
                    Err(failure) => failures.push((generation, failure)),
                }
            }
            self.report(&failures);
            self.none_is_good(failures)
        })
    }

    pub(super) fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let limit = self.config.max_document_bytes;
        if flags.document.len() > limit {
            let error = io::Error::other(format!("more than the {limit} bytes that are allowed"));
            return Err(self.failed("save to", error));
        }
        let sealed = seal(flags).map_err(|error| self.failed("save to", error))?;
        self.in_folder(|folder| {
            let generations = folder.generations().map_err(|error| self.failed("read", error))?;
            let (newest, damaged) = self.newest(folder, &generations);
            if let Some(later) = newest.filter(|newest| flags.revision < *newest) {
                let directory = self.directory.display();
                let message = format!("`{directory}` holds the later revision {later}");
                return Err(ArchiveError::new(ArchiveErrorKind::Superseded, message));
            }
            let next = generations.last().map_or(Some(1), |last| last.checked_add(1));
            next.ok_or_else(|| io::Error::other("no number is left for a generation"))
                .and_then(|next| folder.write(self.steps.as_ref(), next, &sealed))
                .map_err(|error| self.failed("save to", error))?;
            self.set_index(None);
            self.delete_old(folder, &generations, &damaged);
            Ok(())
        })
    }

    /// One flag of the newest good generation.
    pub(super) fn load_flag(&self, id: FlagId) -> Result<Option<Flag>, ArchiveError> {
        // What was damaged, or removed, since it was gone through is gone through once more.
        let known = self.known_index();
        if let Some(Ok(flag)) = known.as_ref().map(|it| it.flag(id)) {
            return Ok(flag);
        }
        let Some(indexed) = self.index_anew(known.as_ref())? else { return Ok(None) };
        indexed.flag(id).map_err(|failure| {
            let message = format!("flag {id} in `{}` {failure}", self.directory.display());
            ArchiveError::new(ArchiveErrorKind::Corrupt, message)
        })
    }

    /// Goes through the newest good generation, unless somebody has since `known` was of no use.
    fn index_anew(
        &self,
        known: Option<&Arc<Indexed>>,
    ) -> Result<Option<Arc<Indexed>>, ArchiveError> {
        let _alone = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.known_index();
        let is_other = |now: &Arc<Indexed>| known.is_none_or(|it| !Arc::ptr_eq(it, now));
        if let Some(now) = now.filter(is_other) {
            return Ok(Some(now));
        }
        self.index()
    }

    fn known_index(&self) -> Option<Arc<Indexed>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_index(&self, index: Option<Arc<Indexed>>) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = index;
    }

    /// Goes through the newest good generation, and remembers what is where while nobody can save another one.
    fn index(&self) -> Result<Option<Arc<Indexed>>, ArchiveError> {
        let limit = self.config.max_document_bytes;
        self.in_folder(|folder| {
            let generations = folder.generations().map_err(|error| self.failed("read", error))?;
            let mut failures = Vec::new();
            for &generation in generations.iter().rev() {
                let bytes = folder.read(generation, most(limit));
                let read = bytes.and_then(|bytes| {
                    let index = Index::read(&bytes, limit)?;
                    Ok(Indexed { file: Mutex::new(folder.open(generation)?), index })
                });
                match read {
                    Ok(indexed) => {
                        self.report(&failures);
                        let indexed = Some(Arc::new(indexed));
                        self.set_index(indexed.clone());
                        return Ok(indexed);
                    }
                    Err(failure) => failures.push((generation, failure)),
                }
            }
            self.set_index(None);
            self.report(&failures);
            self.none_is_good(failures).map(|_| None)
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn config(&self) -> &DiskConfig {
        &self.config
    }

    /// Runs `work` while nobody else has the folder; takes hold of it again if it was removed meanwhile.
    fn in_folder<T>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let mut held = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match held.take().filter(Folder::is_there) {
            Some(folder) => folder,
            None => Folder::take(&self.directory)?,
        };
        let result = work(&folder);
        *held = Some(folder);
        result
    }

    fn read(&self, folder: &Folder, generation: u64) -> Result<Archived, Failure> {
        let limit = self.config.max_document_bytes;
        let bytes = folder.read(generation, most(limit))?;
        Ok(Sealed::read(&bytes)?.open(limit)?)
    }

    /// The revision of the newest generation that can be loaded, and the damaged ones that are newer.
    fn newest(&self, folder: &Folder, generations: &[u64]) -> (Option<Revision>, Vec<u64>) {
        let mut damaged = Vec::new();
        for &generation in generations.iter().rev() {
            let bytes = folder.read(generation, most(self.config.max_document_bytes));
            let read = bytes.and_then(|bytes| Ok(Sealed::read(&bytes)?.revision()));
            match read {
                Ok(revision) => return (Some(revision), damaged),
                Err(Failure::Damaged(_)) => damaged.push(generation),
                Err(Failure::Unreadable(_)) => {}
            }
        }
        (None, damaged)
    }

    /// Deletes what is not needed beside the generation that was just written. What cannot be deleted stays for the next
    /// time.
    fn delete_old(&self, folder: &Folder, older: &[u64], damaged: &[u64]) {
        let good = older.iter().rev().filter(|generation| !damaged.contains(generation));
        let old = good.skip(self.config.generations.saturating_sub(1));
        for &generation in old.chain(damaged) {
            if let Err(error) = folder.delete(self.steps.as_ref(), generation) {
                let directory = self.directory.display();
                warn!("`{directory}`: generation {generation} cannot be deleted: {error}");
            }
        }
    }

    fn report(&self, failures: &[(u64, Failure)]) {
        let Some((newest, _)) = failures.first() else { return };
        let reported = self.reported.fetch_max(*newest, Ordering::Relaxed);
        let directory = self.directory.display();
        for (generation, failure) in failures.iter().filter(|(it, _)| *it > reported) {
            warn!("`{directory}`: generation {generation} {failure}");
        }
    }

    fn none_is_good(
        &self,
        failures: Vec<(u64, Failure)>,
    ) -> Result<Option<Archived>, ArchiveError> {
        let directory = self.directory.display();
        let Some((generation, failure)) = failures.into_iter().next() else { return Ok(None) };
        let message =
            format!("no flags in `{directory}` can be read: generation {generation} {failure}");
        Err(match failure {
            Failure::Damaged(damage) => {
                ArchiveError::new(ArchiveErrorKind::Corrupt, message).with_source(damage)
            }
            Failure::Unreadable(error) => {
                ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
            }
        })
    }

    fn failed(&self, what: &str, error: io::Error) -> ArchiveError {
        unavailable(what, &self.directory, error)
    }
}

impl Indexed {
    fn flag(&self, id: FlagId) -> Result<Option<Flag>, Failure> {
        self.index.flag(id, |start, length| {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = vec![0; length];
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        })
    }
}

pub(super) fn unavailable(what: &str, directory: &Path, error: io::Error) -> ArchiveError {
    let message = format!("cannot {what} the folder `{}`", directory.display());
    ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
}

/// `disk, generation 7 (generation 8 is damaged)`.
fn origin(generation: u64, failures: &[(u64, Failure)]) -> String {
    let failures: Vec<_> = failures
        .iter()
        .map(|(generation, failure)| format!("generation {generation} {}", failure.in_short()))
        .collect();
    match failures.as_slice() {
        [] => format!("disk, generation {generation}"),
        failures => format!("disk, generation {generation} ({})", failures.join(", ")),
    }
}
