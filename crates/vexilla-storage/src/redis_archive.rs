//! The archive in Redis or Valkey, which a fleet of instances shares.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use redis::RedisError;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, FlagArchive, Revision};

use crate::sealed::{Damage, Sealed, most, seal};
use commands::{Found, Names, Saved};
use keeper::{keep, random};
use shared::Shared;

pub use config::{RedisConfig, RedisConfigError};

mod commands;
mod config;
mod keeper;
mod link;
mod shared;
mod tls;

/// Shares the last good flags between instances, so that one of them asks Flagr and the others follow.
///
/// There is one hash with the newest flags. A save goes through only if no later revision is there, and tells everybody
/// on a channel. The instance that holds a lease [leads](FlagArchive::leads); while Redis cannot be asked, all do.
///
/// A Redis that lost its data shows as [changed](FlagArchive::changed) too: the next load then finds nothing, or
/// something older than what is served, and who leads should save what is served.
pub struct RedisArchive {
    shared: Arc<Shared>,
    /// The task that keeps the connection. It ends when this is taken or dropped, and gives up the lease then.
    keeper: Mutex<Option<Keeper>>,
}

struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RedisArchive {
    /// Starts to connect, within the Tokio runtime that this is called in. Redis need not be there yet.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn connect(config: RedisConfig) -> Result<Self, RedisConfigError> {
        config.check()?;
        let tls = tls::connector(&config)?;
        let token = format!("{:016x}{:016x}", random(), random());
        let names = Names::new(&config.key_prefix, token);
        let shared = Arc::new(Shared::new(config, names, tls));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep(Arc::clone(&shared), stopped));
        Ok(Self { shared, keeper: Mutex::new(Some(Keeper { stop, task })) })
    }

    fn foreign(&self) -> ArchiveError {
        self.corrupt("holds something else than flags of Vexilla")
    }

    fn corrupt(&self, what: impl fmt::Display) -> ArchiveError {
        let Shared { name, names, .. } = &*self.shared;
        let message = format!("{name}: the key `{}` {what}", names.flags());
        ArchiveError::new(ArchiveErrorKind::Corrupt, message)
    }

    fn failed(&self, failure: RedisError) -> ArchiveError {
        self.shared.unavailable(failure)
    }

    fn interrupted(&self, error: impl std::error::Error + Send + Sync + 'static) -> ArchiveError {
        let message = format!("{}: the flags could not be packed", self.shared.name);
        ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
    }
}

#[async_trait]
impl FlagArchive for RedisArchive {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        let shared = &self.shared;
        let mut connection = shared.connection().await?;
        let limit = shared.config.max_document_bytes;
        let found = shared.names.load(&mut connection, most(limit)).await;
        let (revision, sealed) = match found.map_err(|it| self.failed(it))? {
            Found::Nothing => {
                shared.know(None);
                return Ok(None);
            }
            Found::Foreign => return Err(self.foreign()),
            Found::TooLarge(revision) => {
                shared.know(revision);
                return Err(self.corrupt(Damage::TooLarge(limit)));
            }
            Found::Flags(revision, sealed) => (revision, sealed),
        };
        // What is damaged is no news either, until it changes.
        shared.know(revision);
        let opened = spawn_blocking(move || open(&sealed, revision, limit)).await;
        let mut flags =
            opened.map_err(|it| self.interrupted(it))?.map_err(|it| self.corrupt(it))?;
        flags.origin = shared.name.clone().into();
        Ok(Some(flags))
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let saved = self.try_save(flags).await;
        if saved.as_ref().is_err_and(|error| error.kind() == ArchiveErrorKind::Unavailable) {
            // What is there instead is news as soon as Redis can be asked again.
            self.shared.know(Some(flags.revision));
        }
        saved
    }

    fn describe(&self) -> String {
        self.shared.name.clone()
    }

    async fn changed(&self) {
        self.shared.changed().await;
    }

    async fn leads(&self) -> bool {
        self.shared.leads().await
    }

    /// Gives up the lease and the connection, and waits until that is done.
    async fn release(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Keeper { stop, task }) = keeper {
            drop(stop);
            // An error would mean that it panicked or was ended with its runtime: it is gone either way.
            let _ = task.await;
        }
    }
}

impl RedisArchive {
    async fn try_save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let (shared, revision) = (&self.shared, flags.revision);
        let mut connection = shared.connection().await?;
        let limit = shared.config.max_document_bytes;
        if flags.document.len() > limit {
            let message = format!("{}: the flags {}", shared.name, Damage::TooLarge(limit));
            return Err(ArchiveError::new(ArchiveErrorKind::Unavailable, message));
        }
        let flags = flags.clone();
        let sealed = spawn_blocking(move || seal(&flags)).await;
        let sealed =
            sealed.map_err(|it| self.interrupted(it))?.map_err(|it| self.interrupted(it))?;
        let saved = shared.names.save(&mut connection, revision, &sealed).await;
        match saved.map_err(|it| self.failed(it))? {
            Saved::Done => {
                shared.know(Some(revision));
                Ok(())
            }
            Saved::Superseded(later) => {
                let what = if later == revision.to_string() {
                    "other flags as revision"
                } else {
                    "the later revision"
                };
                let message = format!("{} holds {what} {later}", shared.name);
                Err(ArchiveError::new(ArchiveErrorKind::Superseded, message))
            }
            Saved::Foreign => Err(self.foreign()),
        }
    }
}

impl fmt::Debug for RedisArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisArchive").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

/// The flags, if they are those of this revision.
fn open(sealed: &[u8], revision: Option<Revision>, limit: usize) -> Result<Archived, Damage> {
    let flags = Sealed::read(sealed)?.open(limit)?;
    match revision {
        Some(revision) if revision == flags.revision => Ok(flags),
        _ => Err(Damage::Header),
    }
}
