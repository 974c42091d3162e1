//! Who has the folder: it is taken to write there, and read where it cannot be taken.

use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, with_causes};

use super::DiskConfig;
use super::folder::Folder;
use super::steps::Steps;
use super::store::Store;

impl Store {
    pub(super) fn open(
        directory: PathBuf,
        config: DiskConfig,
        steps: Box<dyn Steps>,
    ) -> Result<Self, ArchiveError> {
        let folder = Folder::take(&directory)?;
        let store = Self::new(directory, config, steps);
        *store.folder() = Some(folder);
        Ok(store)
    }

    /// The same, or only what is there to be read, where it is flags.
    pub(super) fn open_or_read(
        directory: PathBuf,
        config: DiskConfig,
        steps: Box<dyn Steps>,
    ) -> Result<Self, ArchiveError> {
        let store = Self::new(directory, config, steps);
        match Folder::take(store.directory()) {
            Ok(folder) => *store.folder() = Some(folder),
            Err(error) if error.kind() == ArchiveErrorKind::Unavailable => match store.load() {
                Ok(Some(_)) => {
                    warn!("{}: its flags are read, and none are saved", with_causes(&error));
                }
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        }
        Ok(store)
    }

    /// Runs `work` while nobody else has the folder; takes hold of it again if it was removed meanwhile.
    pub(super) fn in_folder<T>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let mut held = self.folder();
        let folder = match held.take().filter(Folder::is_there) {
            Some(folder) => folder,
            None => Folder::take(self.directory())?,
        };
        let result = work(&folder);
        *held = Some(folder);
        result
    }

    /// The same for work that only reads: where the folder cannot be taken it is read all the same, as it is.
    pub(super) fn in_readable_folder<T>(
        &self,
        work: impl Fn(&Folder) -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        match self.in_folder(&work) {
            Err(error) if error.kind() == ArchiveErrorKind::Unavailable && !self.is_held() => {
                let _alone = self.folder();
                work(&Folder::of_anybody(self.directory())).map_err(|_| error)
            }
            outcome => outcome,
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.folder().as_ref().is_some_and(Folder::is_there)
    }

    fn folder(&self) -> MutexGuard<'_, Option<Folder>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
