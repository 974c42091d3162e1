//! Flags as they are archived, for commands that only look: what a sidecar would begin with, or the others follow.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::spawn_blocking;
use vexilla::{Client, ClientBuilder, DiskArchive, DiskConfig, RedisArchive};
use vexilla_domain::{
    ArchiveError, Archived, Depth, Fetch, FlagArchive, FlagSource, Marker, SourceError, Strictness,
};

use crate::args::ArchivedArgs;
use crate::error::CommandError;
use crate::settings::{Section as _, Settings};

/// The newest flags of the archives that are named; `None` where none is.
pub(crate) async fn find(
    args: &ArchivedArgs,
    settings: &Settings,
) -> Result<Option<Archived>, CommandError> {
    let mut found: Option<Archived> = None;
    let mut places = Vec::new();
    if args.redis.is_some()
        && let Some(config) = settings.redis.config(&settings.origins)?
    {
        places.push(format!("redis {}:{}/{}", config.host, config.port, config.database));
        found = RedisArchive::peek(config).await.map_err(named)?;
    }
    if let Some(folder) = &args.archive {
        places.push(format!("`{}`", folder.display()));
        let of_disk = look_into(folder.clone(), settings).await?;
        let newest = |it: &Archived| (it.revision, it.refreshed_at_ms);
        found = found.into_iter().chain(of_disk).max_by_key(newest);
    }
    match (found, places.is_empty()) {
        (None, false) => Err(CommandError::NothingArchived { place: places.join(" nor in ") }),
        (found, _) => Ok(found),
    }
}

async fn look_into(folder: PathBuf, settings: &Settings) -> Result<Option<Archived>, CommandError> {
    let mut config = DiskConfig::default();
    settings.archive.apply(&mut config);
    let looked = spawn_blocking(move || DiskArchive::peek(folder, config)).await;
    looked.map_err(|error| CommandError::Named(Box::new(error)))?.map_err(named)
}

fn named(error: ArchiveError) -> CommandError {
    CommandError::Named(Box::new(error))
}

/// A client in the making that serves exactly these flags, as old as they are.
pub(crate) fn builder(found: Archived) -> ClientBuilder {
    let source = Away { source: found.source.clone() };
    Client::builder().source(Arc::new(source)).archive(Arc::new(Found(found)))
}

/// Where the flags came from once. It is not asked.
#[derive(Debug)]
struct Away {
    source: Box<str>,
}

#[async_trait]
impl FlagSource for Away {
    async fn fetch(&self, _: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        pending().await
    }

    fn describe(&self) -> String {
        self.source.to_string()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}

/// Flags that were found. Nothing is written.
#[derive(Debug)]
struct Found(Archived);

#[async_trait]
impl FlagArchive for Found {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        Ok(Some(self.0.clone()))
    }

    async fn save(&self, _: &Archived) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn describe(&self) -> String {
        self.0.origin.to_string()
    }
}
