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
use crate::output::warn;
use crate::settings::{Section as _, Settings};

/// The newest flags of the archives that are named; `None` where none is. One that cannot be read is told of and passed
/// over where another one has flags.
pub(crate) async fn find(
    args: &ArchivedArgs,
    settings: &Settings,
) -> Result<Option<Archived>, CommandError> {
    let mut looks = Vec::new();
    if args.redis.is_some()
        && let Some(config) = settings.redis.config(&settings.origins)?
    {
        let place = config.describe();
        looks.push((place, RedisArchive::peek(config).await.map_err(named)));
    }
    if let Some(folder) = &args.archive {
        let place = format!("`{}`", folder.display());
        looks.push((place, look_into(folder.clone(), settings).await));
    }
    newest(looks)
}

fn newest(
    looks: Vec<(String, Result<Option<Archived>, CommandError>)>,
) -> Result<Option<Archived>, CommandError> {
    let (mut found, mut empty, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for (place, looked) in looks {
        match looked {
            Ok(Some(flags)) => found.push(flags),
            Ok(None) => empty.push(place),
            Err(error) => failures.push(error),
        }
    }
    let newest = found.into_iter().max_by_key(|it| (it.revision, it.refreshed_at_ms));
    let outcome = match (newest, empty.is_empty()) {
        (Some(newest), _) => Ok(Some(newest)),
        (None, false) => Err(CommandError::NothingArchived { place: empty.join(" nor in ") }),
        (None, true) => failures.pop().map_or(Ok(None), Err),
    };
    for failure in &failures {
        warn(failure);
    }
    outcome
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
