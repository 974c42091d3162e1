//! The folder of a disk archive: who has it, and which files are in it.
//!
//! `7.flags` is generation 7; `.saving-…` is one that is being written; `lock` is held by the process that has the
//! folder. Other files are left alone.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use vexilla_domain::{ArchiveError, ArchiveErrorKind};

use super::failure::Failure;
use super::steps::Steps;
use super::store::unavailable;
use crate::folder_lock::{is_held, make_and_lock};
use crate::sealed::Damage;

const SAVING: &str = ".saving-";
const EXTENSION: &str = "flags";

/// A folder that this process has, until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The system lets go of the lock when the file is closed, also when the process is killed.
    lock: File,
}

impl Folder {
    /// Takes the folder, makes it if need be, and clears away what a killed process left half-written.
    pub(super) fn take(path: &Path) -> Result<Self, ArchiveError> {
        let lock = make_and_lock(path).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let message = format!("the folder `{}` is used by another archive", path.display());
                ArchiveError::new(ArchiveErrorKind::Locked, message)
            }
            TryLockError::Error(error) => unavailable("use", path, error),
        })?;
        let folder = Self { path: path.to_owned(), lock };
        folder.clear().map_err(|error| unavailable("clear", path, error))?;
        Ok(folder)
    }

    /// Whether the folder that was taken is still the one of this name.
    pub(super) fn is_there(&self) -> bool {
        is_held(&self.lock, &self.path)
    }

    /// All generations, the oldest one first.
    pub(super) fn generations(&self) -> io::Result<Vec<u64>> {
        let mut generations = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = PathBuf::from(entry?.file_name());
            let number = path.file_stem().and_then(|it| it.to_str()).and_then(|it| it.parse().ok());
            // The name is made again, since `+7` and `007` are numbers too.
            generations.extend(number.filter(|number| file_name(*number) == path));
        }
        generations.sort_unstable();
        Ok(generations)
    }

    /// A generation's bytes, if there are not more than `most`, whatever the file says of its length.
    pub(super) fn read(&self, generation: u64, most: usize) -> Result<Vec<u8>, Failure> {
        let file = self.open(generation)?;
        let length = file.metadata()?.len();
        let most_bytes = u64::try_from(most).unwrap_or(u64::MAX);
        if length > most_bytes {
            return Err(Damage::TooLarge(most).into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(most_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A generation, to read parts of it.
    pub(super) fn open(&self, generation: u64) -> io::Result<File> {
        File::open(self.path.join(file_name(generation)))
    }

    /// Writes a new generation. It is there whole or not at all.
    pub(super) fn write(&self, steps: &dyn Steps, generation: u64, bytes: &[u8]) -> io::Result<()> {
        // Only its owner may read it, as everything that `tempfile` makes.
        let mut file = tempfile::Builder::new().prefix(SAVING).tempfile_in(&self.path)?;
        steps.write(&mut file, bytes)?;
        steps.sync_file(&file)?;
        steps.rename(file, &self.path.join(file_name(generation)))?;
        steps.sync_folder(&self.path)
    }

    /// Deletes a generation.
    pub(super) fn delete(&self, steps: &dyn Steps, generation: u64) -> io::Result<()> {
        steps.delete(&self.path.join(file_name(generation)))
    }

    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(SAVING) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn file_name(generation: u64) -> PathBuf {
    PathBuf::from(format!("{generation}.{EXTENSION}"))
}
