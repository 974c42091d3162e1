//! The archive in a folder.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, Confirmation, Flag, FlagArchive, FlagId, FlagTest,
};

use steps::Disk;
use store::Store;

use crate::Lane;

mod confirmed;
mod failure;
mod folder;
mod hold;
mod kept;
mod steps;
mod store;

/// How much a [`DiskArchive`] keeps.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DiskConfig {
    /// How many of the last good flags are kept: 3. At least one is.
    pub generations: usize,
    /// The largest document that is saved or loaded, in bytes: 256 MiB.
    pub max_document_bytes: usize,
}

impl Default for DiskConfig {
    fn default() -> Self {
        Self { generations: 3, max_document_bytes: 256 << 20 }
    }
}

/// Keeps the last good flags in a folder, over every way in which a process can end.
///
/// Each save is a new file, a *generation*. It gets its name when all of it is on the disk, and older ones are deleted
/// after that; a load takes the newest that is whole. One that a later version of Vexilla has written is left to that one.
/// When flags that stay as they are were confirmed is kept beside them: a process that ends loses nothing of that, a power
/// failure the last minute. Only one process at a time has the folder.
pub struct DiskArchive {
    store: Arc<Store>,
    /// Reads single flags, one after the other, with the memory that the last one needed.
    reader: Lane,
}

impl DiskArchive {
    /// Takes hold of the folder, which is made if it is not there, for as long as the archive lives.
    ///
    /// # Errors
    ///
    /// [`Locked`](ArchiveErrorKind::Locked) if another archive has it, [`Unavailable`](ArchiveErrorKind::Unavailable) if
    /// it cannot be made or written to.
    pub fn open(directory: impl Into<PathBuf>, config: DiskConfig) -> Result<Self, ArchiveError> {
        Ok(Self::of(Store::open(directory.into(), config, Box::new(Disk))?))
    }

    /// The same, of a folder that holds flags even where it cannot be written to, as one on a disk that the system has made
    /// read-only: they are read, and nothing is saved until it can be. That is tried again with each save.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), where there are no flags that can be read.
    pub fn open_or_read(
        directory: impl Into<PathBuf>,
        config: DiskConfig,
    ) -> Result<Self, ArchiveError> {
        Ok(Self::of(Store::open_or_read(directory.into(), config, Box::new(Disk))?))
    }

    /// Whether the folder is this archive's, to be written to: what [`open`](Self::open) begins with, and
    /// [`open_or_read`](Self::open_or_read) may come to.
    pub fn is_held(&self) -> bool {
        self.store.is_held()
    }

    /// The newest flags of a folder that another archive may have: nothing there is made, changed or waited for. May block.
    ///
    /// # Errors
    ///
    /// As for [`load`](FlagArchive::load); and [`Unavailable`](ArchiveErrorKind::Unavailable) if there is no such folder.
    pub fn peek(
        directory: impl Into<PathBuf>,
        config: DiskConfig,
    ) -> Result<Option<Archived>, ArchiveError> {
        Store::peek(directory.into(), config, Box::new(Disk))
    }

    fn of(store: Store) -> Self {
        Self { store: Arc::new(store), reader: Lane::new("vexilla-archive") }
    }

    /// Runs `work` where it may block. It goes on to its end when the caller goes away.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(error) => Err(self.not_done(error)),
        }
    }

    /// Reads a single flag.
    async fn read(
        &self,
        work: impl FnOnce(&Store) -> Result<Option<Flag>, ArchiveError> + Send + 'static,
    ) -> Result<Option<Flag>, ArchiveError> {
        let store = Arc::clone(&self.store);
        match self.reader.run(move || work(&store)).await {
            Ok(result) => result,
            Err(error) => Err(self.not_done(error)),
        }
    }

    fn not_done(&self, error: impl Error + Send + Sync + 'static) -> ArchiveError {
        let message = format!("`{}` was not waited for", self.store.directory().display());
        ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
    }
}

#[async_trait]
impl FlagArchive for DiskArchive {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.blocking(Store::load).await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let flags = flags.clone();
        self.blocking(move |store| store.save(&flags)).await
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let confirmation = *confirmation;
        self.blocking(move |store| store.confirm(&confirmation)).await
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        self.blocking(Store::held).await
    }

    /// Reads some twenty flags to give one. Where each is, it finds out with the first after a save. One that the newest
    /// generation has not as it is wanted is taken from the one before, whose rules may still be served.
    async fn load_flag(
        &self,
        id: FlagId,
        is_wanted: FlagTest<'_>,
    ) -> Result<Option<Flag>, ArchiveError> {
        let flag = self.read(move |store| store.load_flag(id)).await?;
        match flag.filter(is_wanted) {
            Some(flag) => Ok(Some(flag)),
            None => Ok(self.read(move |store| store.load_older_flag(id)).await?.filter(is_wanted)),
        }
    }

    fn describe(&self) -> String {
        self.store.directory().display().to_string()
    }
}

impl fmt::Debug for DiskArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskArchive")
            .field("directory", &self.store.directory())
            .field("config", &self.store.config())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
