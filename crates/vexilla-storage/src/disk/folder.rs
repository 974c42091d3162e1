//! The folder of a disk archive: who has it, and which files are in it.
//!
//! `7.flags` is generation 7; `confirmed` says when its flags were confirmed; `.saving-…` is what is being written; `lock`
//! is held by the process that has the folder. Other files are left alone.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Confirmation};

use super::confirmed;
use super::failure::Failure;
use super::steps::Steps;
use super::store::unavailable;
use crate::folder_lock::{is_held, make_and_lock, private};
use crate::sealed::{Damage, PREFIX, is_of_later_version};

const CONFIRMED: &str = "confirmed";
const SAVING: &str = ".saving-";
const EXTENSION: &str = "flags";

/// A folder that this process has, until this is dropped; or one that it only reads.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The system lets go of the lock when the file is closed, also when the process is killed. `None` where another
    /// process may have the folder.
    lock: Option<File>,
}

/// What a file that was put in place outlives for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// The power failing: the disk has it.
    OverPowerFailure,
    /// The end of this process, however that comes: the system has it.
    OverProcess,
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
        let folder = Self { path: path.to_owned(), lock: Some(lock) };
        folder.clear().map_err(|error| unavailable("clear", path, error))?;
        Ok(folder)
    }

    /// A folder to read from, whoever has it. Nothing is made, and nothing is cleared away.
    pub(super) fn of_anybody(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: None }
    }

    /// Whether the folder that was taken is still the one of this name.
    pub(super) fn is_there(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| is_held(lock, &self.path))
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
        let file = self.open_checked(generation, most)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A generation, to go through it, if it has not more than `most` bytes.
    pub(super) fn open_checked(&self, generation: u64, most: usize) -> Result<File, Failure> {
        let file = self.open(generation)?;
        if file.metadata()?.len() > u64::try_from(most).unwrap_or(u64::MAX) {
            return Err(Damage::TooLarge(most).into());
        }
        Ok(file)
    }

    /// A generation, to read parts of it.
    pub(super) fn open(&self, generation: u64) -> io::Result<File> {
        File::open(self.path.join(file_name(generation)))
    }

    /// How long a generation is, if it is there.
    pub(super) fn length(&self, generation: u64) -> Option<u64> {
        fs::metadata(self.path.join(file_name(generation))).ok().map(|it| it.len())
    }

    /// Whether a later version of Vexilla has written a generation, in a way that this one does not know.
    pub(super) fn is_of_later_version(&self, generation: u64) -> bool {
        let mut start = Vec::with_capacity(PREFIX);
        let read = self.open(generation).and_then(|file| {
            let most = u64::try_from(PREFIX).unwrap_or(u64::MAX);
            file.take(most).read_to_end(&mut start)
        });
        read.is_ok() && is_of_later_version(&start)
    }

    /// Writes a new generation. It is there whole or not at all.
    pub(super) fn write(&self, steps: &dyn Steps, generation: u64, bytes: &[u8]) -> io::Result<()> {
        self.put(steps, &file_name(generation), bytes, Lasting::OverPowerFailure)
    }

    /// When flags of the folder were confirmed, as far as it is known.
    pub(super) fn confirmed(&self) -> Option<Confirmation> {
        let file = File::open(self.path.join(CONFIRMED)).ok()?;
        let mut bytes = Vec::with_capacity(confirmed::MOST);
        let most = u64::try_from(confirmed::MOST).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).ok()?;
        confirmed::decode(&bytes)
    }

    /// Writes when flags of the folder were confirmed, in place of what was known before.
    pub(super) fn confirm(
        &self,
        steps: &dyn Steps,
        confirmation: &Confirmation,
        lasting: Lasting,
    ) -> io::Result<()> {
        let text = confirmed::encode(confirmation);
        self.put(steps, Path::new(CONFIRMED), text.as_bytes(), lasting)
    }

    /// Puts a file in place, whole or not at all.
    fn put(
        &self,
        steps: &dyn Steps,
        name: &Path,
        bytes: &[u8],
        lasting: Lasting,
    ) -> io::Result<()> {
        // Made by hand, so that an error does not name a file that has another name each time: it would be news each time.
        let make = |path: &Path| private().create_new(true).open(path);
        let mut file = tempfile::Builder::new().prefix(SAVING).make_in(&self.path, make)?;
        steps.write(&mut file, bytes)?;
        match lasting {
            Lasting::OverPowerFailure => {
                steps.sync_file(&file)?;
                steps.rename(file, &self.path.join(name))?;
                steps.sync_folder(&self.path)
            }
            Lasting::OverProcess => steps.rename(file, &self.path.join(name)),
        }
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
