//! Generations of flags in a folder: which one counts, and which may go.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, Flag, FlagId};

use super::DiskConfig;
use super::failure::{Failure, NoGood};
use super::folder::Folder;
use super::kept::Kept;
use super::steps::Steps;
use crate::sealed::{Damage, Index, Sealed, most, seal};

/// The generations in a folder. Everything here may block.
pub(super) struct Store {
    directory: PathBuf,
    pub(super) config: DiskConfig,
    pub(super) steps: Box<dyn Steps>,
    /// `None` after the folder was lost. Held over a whole load or save: one at a time.
    pub(super) folder: Mutex<Option<Folder>>,
    /// The newest generation that was reported as damaged: each is reported once.
    reported: AtomicU64,
    /// The newest good generation; `None` before it was looked for. Waited for only by those who hold the folder.
    pub(super) kept: Mutex<Option<Kept>>,
    /// Where each flag of the newest good generation is; `None` before one was asked for, and after each save. Never held
    /// while the folder is waited for: a save holds that, and then this.
    index: Mutex<Option<Arc<Indexed>>>,
    /// The same of the good generation before it, whose rules are served until those of the newest are.
    older: Mutex<Option<Arc<Indexed>>>,
    /// Held by the one who goes through a generation, so that others wait for what comes of it.
    indexing: Mutex<()>,
}

/// A generation, open to read single flags of it.
struct Indexed {
    /// Held for one read.
    file: Mutex<File>,
    index: Index,
}

/// What was read of the newest good generation, and what was wrong with those that are newer.
pub(super) struct Found<T> {
    pub(super) generation: u64,
    pub(super) read: T,
    failures: Vec<(u64, Failure)>,
}

impl Store {
    /// The flags of a folder that another process may have. Nothing there is changed.
    pub(super) fn peek(
        directory: PathBuf,
        config: DiskConfig,
        steps: Box<dyn Steps>,
    ) -> Result<Option<Archived>, ArchiveError> {
        let folder = Folder::of_anybody(&directory);
        Self::new(directory, config, steps).load_from(&folder)
    }

    pub(super) fn new(directory: PathBuf, config: DiskConfig, steps: Box<dyn Steps>) -> Self {
        let (folder, reported) = (Mutex::default(), AtomicU64::new(0));
        let (kept, index, indexing) = (Mutex::default(), Mutex::default(), Mutex::default());
        let older = Mutex::default();
        Self { directory, config, steps, folder, reported, kept, index, older, indexing }
    }

    pub(super) fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.in_readable_folder(|folder| self.load_from(folder))
    }

    fn load_from(&self, folder: &Folder) -> Result<Option<Archived>, ArchiveError> {
        let limit = self.config.max_document_bytes;
        let found = self.newest_good(folder, |generation| {
            let bytes = folder.read(generation, most(limit))?;
            Ok((bytes.len(), Sealed::read(&bytes)?.open(limit)?))
        })?;
        let Some(Found { generation, read: (length, mut flags), failures }) = found else {
            return Ok(None);
        };
        flags.origin = origin(generation, &failures).into();
        let lasting_ms = flags.refreshed_at_ms;
        if let Some(last) =
            folder.confirmed().filter(|it| it.is_of_same_flags(&flags.confirmation()))
        {
            flags.refreshed_at_ms = flags.refreshed_at_ms.max(last.refreshed_at_ms);
        }
        self.keep(generation, length, flags.confirmation(), lasting_ms);
        Ok(Some(flags))
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
            let (newest, damaged) = self.newest(folder, &generations, &sealed);
            if let Some((later, _)) = newest
                && flags.revision < later.confirmation.revision
            {
                let (directory, later) = (self.directory.display(), later.confirmation.revision);
                let message = format!("`{directory}` holds the later revision {later}");
                return Err(ArchiveError::new(ArchiveErrorKind::Superseded, message));
            }
            if let Some((newest, IsThere::Already)) = newest {
                // A generation like the last one would only push an older one out.
                *self.kept() = Some(newest);
                return self.note(folder, newest, &flags.confirmation());
            }
            let next = generations.last().map_or(Some(1), |last| last.checked_add(1));
            let next = next
                .ok_or_else(|| io::Error::other("no number is left for a generation"))
                .and_then(|next| {
                    folder.write(self.steps.as_ref(), next, &sealed)?;
                    Ok(next)
                })
                .map_err(|error| self.failed("save to", error))?;
            self.keep(next, sealed.len(), flags.confirmation(), flags.refreshed_at_ms);
            let before = self.index.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.set_older(before);
            self.delete_old(folder, &generations, &damaged);
            Ok(())
        })
    }

    /// What `read` gives for the newest generation that it can read. What is wrong with newer ones is reported. It fails
    /// where there are generations, and none of them is good.
    pub(super) fn newest_good<T>(
        &self,
        folder: &Folder,
        read: impl Fn(u64) -> Result<T, Failure>,
    ) -> Result<Option<Found<T>>, ArchiveError> {
        let generations = folder.generations().map_err(|error| self.failed("read", error))?;
        let mut failures = Vec::new();
        for &generation in generations.iter().rev() {
            match read(generation) {
                Ok(read) => {
                    self.report(&failures);
                    return Ok(Some(Found { generation, read, failures }));
                }
                Err(failure) => failures.push((generation, failure)),
            }
        }
        self.report(&failures);
        self.none_is_good(failures)
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

    /// One flag of the good generation before the newest.
    pub(super) fn load_older_flag(&self, id: FlagId) -> Result<Option<Flag>, ArchiveError> {
        let known = self.older.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(older) = known.map_or_else(|| self.index_older(), |it| Ok(Some(it)))? else {
            return Ok(None);
        };
        // Of what is damaged there nothing is known: it is no worse than not being there any more.
        Ok(older.flag(id).unwrap_or_default())
    }

    /// Goes through the good generation before the newest, where nobody has asked for a flag of it while it was that.
    fn index_older(&self) -> Result<Option<Arc<Indexed>>, ArchiveError> {
        let _alone = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
        self.in_readable_folder(|folder| {
            if let Some(older) = &*self.older.lock().unwrap_or_else(PoisonError::into_inner) {
                return Ok(Some(Arc::clone(older)));
            }
            // Before it is known which one is the newest, nothing of an older one is served.
            let Some(newest) = self.kept().map(|it| it.generation) else { return Ok(None) };
            let generations = folder.generations().map_err(|error| self.failed("read", error))?;
            let mut older = generations.iter().rev().filter(|it| **it < newest);
            let older = older.find_map(|it| self.indexed(folder, *it).ok()).map(Arc::new);
            self.set_older(older.clone());
            Ok(older)
        })
    }

    fn set_older(&self, older: Option<Arc<Indexed>>) {
        *self.older.lock().unwrap_or_else(PoisonError::into_inner) = older;
    }

    fn indexed(&self, folder: &Folder, generation: u64) -> Result<Indexed, Failure> {
        let limit = self.config.max_document_bytes;
        let mut file = folder.open_checked(generation, most(limit))?;
        let index = Index::read::<Failure>(&mut file, limit)?;
        Ok(Indexed { file: Mutex::new(file), index })
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
        self.in_readable_folder(|folder| {
            let found = self.newest_good(folder, |generation| self.indexed(folder, generation));
            let found = found.map(|it| it.map(|it| Arc::new(it.read)));
            self.set_index(found.as_ref().ok().cloned().flatten());
            found
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn config(&self) -> &DiskConfig {
        &self.config
    }

    /// The newest generation that can be loaded, and whether it has the flags that are sealed here; and the damaged ones
    /// that are newer. One that a later version has written is neither: this one cannot tell what it is worth.
    fn newest(
        &self,
        folder: &Folder,
        generations: &[u64],
        sealed: &[u8],
    ) -> (Option<(Kept, IsThere)>, Vec<u64>) {
        let mut damaged = Vec::new();
        for &generation in generations.iter().rev() {
            let bytes = folder.read(generation, most(self.config.max_document_bytes));
            let read = bytes.and_then(|bytes| {
                let held = Sealed::read(&bytes)?;
                let confirmation = held.confirmation();
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let lasting_ms = confirmation.refreshed_at_ms;
                let is_same = Sealed::read(sealed).is_ok_and(|it| it.is_same(&held));
                let is_there = if is_same { IsThere::Already } else { IsThere::NotYet };
                Ok((Kept { generation, length, confirmation, lasting_ms }, is_there))
            });
            match read {
                Ok(newest) => return (Some(newest), damaged),
                Err(Failure::Damaged(Damage::Format(_)))
                    if folder.is_of_later_version(generation) => {}
                Err(Failure::Damaged(_)) => damaged.push(generation),
                Err(Failure::Unreadable(_)) => {}
            }
        }
        (None, damaged)
    }

    /// Deletes what is not needed beside the generation that was just written. What cannot be deleted stays for the next
    /// time. What a later version has written stays for that one, and is no generation of ours.
    fn delete_old(&self, folder: &Folder, older: &[u64], damaged: &[u64]) {
        let good = older.iter().rev().filter(|generation| {
            !damaged.contains(generation) && !folder.is_of_later_version(**generation)
        });
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

    fn none_is_good<T>(&self, failures: Vec<(u64, Failure)>) -> Result<Option<T>, ArchiveError> {
        let Some((generation, failure)) = failures.into_iter().next() else { return Ok(None) };
        let kind = match failure {
            Failure::Damaged(_) => ArchiveErrorKind::Corrupt,
            Failure::Unreadable(_) => ArchiveErrorKind::Unavailable,
        };
        let message = format!("no flags in `{}` can be read", self.directory.display());
        Err(ArchiveError::new(kind, message).with_source(NoGood { generation, failure }))
    }

    pub(super) fn failed(&self, what: &str, error: io::Error) -> ArchiveError {
        unavailable(what, &self.directory, error)
    }
}

/// Whether flags that are to be saved are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsThere {
    Already,
    NotYet,
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
