//! Which archives a client is to have: what the builder was told, opened.

#[cfg(feature = "disk")]
use std::path::PathBuf;
use std::sync::Arc;

use vexilla_domain::FlagArchive;
#[cfg(feature = "disk")]
use vexilla_storage::{DiskArchive, DiskConfig};
#[cfg(feature = "redis")]
use vexilla_storage::{RedisArchive, RedisConfig, StackedArchive};

use crate::builder::ClientBuilder;
#[cfg(feature = "redis")]
use crate::error::ConfigError;
use crate::error::StartError;

/// The archives that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    given: Option<Arc<dyn FlagArchive>>,
    #[cfg(feature = "disk")]
    folder: Option<PathBuf>,
    #[cfg(feature = "redis")]
    redis: Option<RedisConfig>,
}

impl ClientBuilder {
    /// Keeps the last good flags in this folder, so that a start needs no Flagr. One client at a time has a folder.
    ///
    /// The flags of the folder are served at once, marked stale, and the source is asked in the background. Flags that
    /// come from another source than the one that is named are not served. Where the folder cannot be written to, its flags
    /// are read all the same, and saves are tried again; without flags in it the start fails then.
    #[cfg(feature = "disk")]
    pub fn archive_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.archives.folder = Some(folder.into());
        self
    }

    /// Where the last good flags are kept over a restart. Default: nowhere. Goes before [`archive_dir`](Self::archive_dir).
    pub fn archive(mut self, archive: Arc<dyn FlagArchive>) -> Self {
        self.archives.given = Some(archive);
        self
    }

    /// Shares the flags with all clients of this Redis: one of them asks Flagr, the others follow it. While Redis cannot be
    /// asked, each asks for itself.
    ///
    /// Where another archive is named too, flags are kept there as well, for a start without Redis and Flagr.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, config: RedisConfig) -> Self {
        self.archives.redis = Some(config);
        self
    }
}

impl Archives {
    /// Opens them as one, for the flags of this source.
    #[cfg_attr(
        not(feature = "redis"),
        expect(unused_variables, reason = "one archive needs no name")
    )]
    #[cfg_attr(
        not(any(feature = "disk", feature = "redis")),
        expect(clippy::unnecessary_wraps, reason = "what the features add can fail")
    )]
    pub(crate) fn open(self, source: &str) -> Result<Option<Arc<dyn FlagArchive>>, StartError> {
        let local = self.given;
        #[cfg(feature = "disk")]
        let local = match (local, self.folder) {
            (None, Some(folder)) => Some(disk(folder)?),
            (given, _) => given,
        };
        #[cfg(feature = "redis")]
        let local = match self.redis {
            Some(config) => Some(before(config, local, source)?),
            None => local,
        };
        Ok(local)
    }
}

#[cfg(feature = "disk")]
fn disk(folder: PathBuf) -> Result<Arc<dyn FlagArchive>, StartError> {
    let archive = DiskArchive::open_or_read(folder, DiskConfig::default());
    Ok(Arc::new(archive.map_err(StartError::Archive)?))
}

/// Redis, in front of what there is else.
#[cfg(feature = "redis")]
fn before(
    config: RedisConfig,
    local: Option<Arc<dyn FlagArchive>>,
    source: &str,
) -> Result<Arc<dyn FlagArchive>, StartError> {
    let redis = RedisArchive::connect(config);
    let redis = redis.map_err(|error| ConfigError::new("redis", error.to_string()))?;
    Ok(match local {
        None => Arc::new(redis),
        Some(local) => {
            Arc::new(StackedArchive::new(vec![Arc::new(redis), local]).of_source(source))
        }
    })
}
