//! Saves that are stopped anywhere.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::{NamedTempFile, TempDir};
use vexilla_domain::{ArchiveErrorKind, Confirmation, with_causes};

use super::{check_error, config, files, holding, load, open};
use crate::disk::confirmed::encode;
use crate::disk::steps::{Disk, Steps};
use crate::disk::store::Store;
use crate::sample::flags;
use crate::sealed::seal;

/// A point within a save.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// After so many bytes.
    Write(usize),
    SyncFile,
    Rename,
    SyncFolder,
    Delete,
}

/// A process that is killed just before a step, or a disk that refuses it.
#[derive(Debug)]
struct Stops {
    before: Step,
    error: io::ErrorKind,
    /// A process that was killed does not clear away what it was writing.
    killed: bool,
    stopped: Arc<Mutex<bool>>,
}

impl Stops {
    fn stop(&self) -> io::Result<()> {
        *self.stopped.lock().unwrap() = true;
        Err(self.error.into())
    }

    fn at(&self, step: Step, file: Option<&NamedTempFile>) -> io::Result<()> {
        if self.before != step {
            return Ok(());
        }
        if let (true, Some(file)) = (self.killed, file) {
            fs::hard_link(file.path(), file.path().with_extension("killed"))?;
        }
        self.stop()
    }
}

impl Steps for Stops {
    fn write(&self, file: &mut NamedTempFile, bytes: &[u8]) -> io::Result<()> {
        match self.before {
            Step::Write(after) if after < bytes.len() => {
                io::Write::write_all(file, &bytes[..after])?;
                self.at(self.before, Some(file))
            }
            _ => io::Write::write_all(file, bytes),
        }
    }

    fn sync_file(&self, file: &NamedTempFile) -> io::Result<()> {
        self.at(Step::SyncFile, Some(file))?;
        Disk.sync_file(file)
    }

    fn rename(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        self.at(Step::Rename, Some(&file))?;
        Disk.rename(file, path)
    }

    fn sync_folder(&self, directory: &Path) -> io::Result<()> {
        self.at(Step::SyncFolder, None)?;
        Disk.sync_folder(directory)
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        self.at(Step::Delete, None)?;
        Disk.delete(path)
    }
}

/// Stops a fourth save, after three good ones, and looks what the next start finds. Says whether the save got so far.
fn stop(before: Step, error: io::ErrorKind, killed: bool, expected: u64) -> bool {
    let directory = TempDir::new().unwrap();
    drop(holding(directory.path(), 1..=3));
    let stopped = Arc::default();
    let stops = Stops { before, error, killed, stopped: Arc::clone(&stopped) };
    let stopping = Store::open(directory.path().into(), config(3), Box::new(stops)).unwrap();
    let result = stopping.save(&flags(1, 4));
    if before == Step::Delete {
        result.unwrap(); // the new generation is safe; the old one is deleted the next time
    } else if *stopped.lock().unwrap() {
        check_error(result, ArchiveErrorKind::Unavailable);
    }
    let names = files(directory.path());
    assert!(names.contains(&"1.flags".into()), "deleted before the new one was safe: {names:?}");
    drop(stopping);

    let restarted = open(directory.path());
    assert_eq!(load(&restarted.store).0, expected, "stopped at {before:?}");
    restarted.store.save(&flags(1, 5)).unwrap();
    assert_eq!(load(&restarted.store).0, 5, "after {before:?}");
    let names = files(directory.path());
    assert!(names.iter().all(|name| !name.starts_with('.')), "left after {before:?}: {names:?}");
    assert_eq!(names.len(), 4, "{names:?}");
    *stopped.lock().unwrap()
}

#[test]
fn a_process_may_be_killed_at_each_byte_and_each_step() {
    let length = seal(&flags(1, 4)).unwrap().len();
    for after in 0..length {
        assert!(stop(Step::Write(after), io::ErrorKind::Interrupted, true, 3));
    }
    for (step, expected) in
        [(Step::SyncFile, 3), (Step::Rename, 3), (Step::SyncFolder, 4), (Step::Delete, 4)]
    {
        assert!(stop(step, io::ErrorKind::Interrupted, true, expected));
    }
}

#[test]
fn a_full_or_read_only_disk_is_reported_and_tried_again() {
    use io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
    for (step, error, expected) in [
        (Step::Write(0), ReadOnlyFilesystem, 3),
        (Step::Write(100), StorageFull, 3),
        (Step::SyncFile, StorageFull, 3),
        (Step::Rename, ReadOnlyFilesystem, 3),
        (Step::SyncFolder, StorageFull, 4),
        (Step::Delete, ReadOnlyFilesystem, 4),
    ] {
        assert!(stop(step, error, false, expected));
    }
}

#[test]
fn a_confirmation_may_be_stopped_at_each_byte_and_each_step() {
    let saved = flags(1, 3);
    let confirmed = |by: u64| Confirmation {
        refreshed_at_ms: saved.refreshed_at_ms + by,
        ..saved.confirmation()
    };
    let check = |before: Step, by: u64, expected: u64| {
        let directory = TempDir::new().unwrap();
        let archive = holding(directory.path(), 1..=3);
        assert!(archive.store.confirm(&confirmed(1)).unwrap());
        drop(archive);
        let stops = Stops {
            before,
            error: io::ErrorKind::Interrupted,
            killed: true,
            stopped: Arc::default(),
        };
        let stopping = Store::open(directory.path().into(), config(3), Box::new(stops)).unwrap();
        check_error(stopping.confirm(&confirmed(by)), ArchiveErrorKind::Unavailable);
        drop(stopping);
        let loaded = open(directory.path()).store.load().unwrap().unwrap();
        assert_eq!(loaded.confirmation(), confirmed(expected), "stopped at {before:?}");
        let names = files(directory.path());
        assert_eq!(names, ["1.flags", "2.flags", "3.flags", "confirmed", "lock"]);
    };
    for after in 0..encode(&confirmed(2)).len() {
        check(Step::Write(after), 2, 1);
    }
    check(Step::Rename, 2, 1);
    // Once a minute it is made safe from a power failure too.
    let minute = 60_000;
    check(Step::SyncFile, minute, 1);
    check(Step::SyncFolder, minute, minute);
}

#[test]
fn an_error_says_what_and_why() {
    let directory = TempDir::new().unwrap();
    let stops = Stops {
        before: Step::SyncFile,
        error: io::ErrorKind::StorageFull,
        killed: false,
        stopped: Arc::default(),
    };
    let archive = Store::open(directory.path().into(), config(3), Box::new(stops)).unwrap();
    let error = archive.save(&flags(1, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot save to the folder `{}`", directory.path().display())
    );
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no storage space");
    assert_eq!(files(directory.path()), ["lock"]);
}

/// Gives what a save writes to a file that cannot be written.
#[derive(Debug)]
struct Unwritable;

impl Steps for Unwritable {
    fn write(&self, file: &mut NamedTempFile, bytes: &[u8]) -> io::Result<()> {
        let opened = File::open(file.path())?;
        *file.as_file_mut() = opened;
        Disk.write(file, bytes)
    }
}

/// Saves twice, and expects the same error: another one would be news.
#[track_caller]
fn check_same(archive: &Store) {
    let failed = || with_causes(&archive.save(&flags(1, 1)).unwrap_err());
    let (first, again) = (failed(), failed());
    assert_eq!(first, again);
    assert!(!first.contains(".saving-"), "{first}");
}

#[test]
fn a_disk_that_goes_on_failing_goes_on_saying_the_same() {
    let directory = TempDir::new().unwrap();
    check_same(&Store::open(directory.path().into(), config(3), Box::new(Unwritable)).unwrap());
}

/// Where `lock` fits into the longest name that the system takes, and what is being saved does not.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_made_is_not_named() {
    let directory = TempDir::new().unwrap();
    let mut path = directory.path().to_owned();
    while path.as_os_str().len() < 4085 {
        let left = 4085 - path.as_os_str().len() - 1;
        path.push("x".repeat(left.clamp(1, 200)));
    }
    check_same(&open(path).store);
}
