//! The archive in Redis or Valkey, which a fleet of instances shares.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, ArchiveLayer, Archived, Confirmation, FlagArchive, Revision,
};

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
        let tls = config.checked()?;
        let token = format!("{:016x}{:016x}", random(), random());
        let names = Names::new(&config.key_prefix, token);
        let shared = Arc::new(Shared::new(config, names, tls));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep(Arc::clone(&shared), stopped));
        Ok(Self { shared, keeper: Mutex::new(Some(Keeper { stop, task })) })
    }

    /// The flags that are there now, by a connection of its own. Takes part in nothing: no lease is taken.
    ///
    /// # Errors
    ///
    /// As for [`load`](FlagArchive::load), or if the configuration cannot be used.
    pub async fn peek(config: RedisConfig) -> Result<Option<Archived>, ArchiveError> {
        let unusable = |error: RedisConfigError| {
            let message = format!("the configuration of Redis: {error}");
            ArchiveError::new(ArchiveErrorKind::Unavailable, message)
        };
        let tls = config.checked().map_err(unusable)?;
        let names = Names::new(&config.key_prefix, String::new());
        let shared = Shared::new(config, names, tls);
        let mut link = shared.open().await.map_err(|it| shared.unavailable(&it))?;
        let load = shared.load(&mut link.connection);
        match timeout(shared.config.response_timeout, load).await {
            Ok(loaded) => loaded,
            Err(late) => {
                let message = format!("{} does not answer in time", shared.name);
                Err(ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(late))
            }
        }
    }
}

#[async_trait]
impl FlagArchive for RedisArchive {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        let mut connection = self.shared.connection().await?;
        self.shared.load(&mut connection).await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let saved = self.try_save(flags).await;
        self.give_up_lease_unless(&saved);
        if saved.as_ref().is_err_and(|error| error.kind() == ArchiveErrorKind::Unavailable) {
            // What is there instead is news as soon as Redis can be asked again.
            self.shared.know(Some(flags.revision));
        }
        saved
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let shared = &self.shared;
        let mut connection = shared.connection().await?;
        let confirmed = shared.names.confirm(&mut connection, confirmation).await;
        let confirmed = confirmed.map_err(|it| shared.unavailable(&it));
        self.give_up_lease_unless(&confirmed);
        confirmed
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        let shared = &self.shared;
        let mut connection = shared.connection().await?;
        let held = shared.names.held(&mut connection).await;
        let (revision, confirmation) = held.map_err(|it| shared.unavailable(&it))?;
        if confirmation.is_some() {
            shared.know(revision);
        }
        Ok(confirmation)
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

    async fn step_back(&self) {
        self.shared.step_back();
    }

    fn layers(&self) -> Vec<ArchiveLayer> {
        vec![self.shared.state()]
    }
}

impl RedisArchive {
    /// Who cannot tell the others what it finds does not lead them.
    fn give_up_lease_unless<T>(&self, told: &Result<T, ArchiveError>) {
        if told.as_ref().is_err_and(|error| error.kind() != ArchiveErrorKind::Superseded) {
            self.shared.step_back();
        }
    }

    async fn try_save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let (shared, revision) = (&self.shared, flags.revision);
        let mut connection = shared.connection().await?;
        let limit = shared.config.max_document_bytes;
        if flags.document.len() > limit {
            let message = format!("{}: the flags {}", shared.name, Damage::TooLarge(limit));
            return Err(ArchiveError::new(ArchiveErrorKind::Unavailable, message));
        }
        let (flags, confirmation) = (flags.clone(), flags.confirmation());
        let sealed = spawn_blocking(move || seal(&flags)).await;
        let sealed =
            sealed.map_err(|it| shared.interrupted(it))?.map_err(|it| shared.interrupted(it))?;
        let saved = shared.names.save(&mut connection, &confirmation, &sealed).await;
        match saved.map_err(|it| shared.unavailable(&it))? {
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
            Saved::Foreign => Err(shared.foreign()),
        }
    }
}

impl Shared {
    async fn load(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Option<Archived>, ArchiveError> {
        let limit = self.config.max_document_bytes;
        let found = self.names.load(connection, most(limit)).await;
        let (revision, sealed, confirmed) = match found.map_err(|it| self.unavailable(&it))? {
            Found::Nothing => {
                self.know(None);
                return Ok(None);
            }
            Found::Foreign => return Err(self.foreign()),
            Found::TooLarge(revision) => {
                self.know(revision);
                return Err(self.corrupt(Damage::TooLarge(limit)));
            }
            Found::Flags(revision, sealed, confirmed) => (revision, sealed, confirmed),
        };
        // What is damaged is no news either, until it changes.
        self.know(revision);
        let opened = spawn_blocking(move || open(&sealed, revision, limit)).await;
        let mut flags =
            opened.map_err(|it| self.interrupted(it))?.map_err(|it| self.corrupt(it))?;
        if let Some(last) = confirmed.filter(|it| it.is_of_same_flags(&flags.confirmation())) {
            flags.refreshed_at_ms = flags.refreshed_at_ms.max(last.refreshed_at_ms);
        }
        flags.origin = self.name.clone().into();
        Ok(Some(flags))
    }

    fn foreign(&self) -> ArchiveError {
        self.corrupt("holds something else than flags of Vexilla")
    }

    fn corrupt(&self, what: impl fmt::Display) -> ArchiveError {
        let message = format!("{}: the key `{}` {what}", self.name, self.names.flags());
        ArchiveError::new(ArchiveErrorKind::Corrupt, message)
    }

    fn interrupted(&self, error: impl std::error::Error + Send + Sync + 'static) -> ArchiveError {
        let message = format!("{}: the flags could not be packed", self.name);
        ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(error)
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
