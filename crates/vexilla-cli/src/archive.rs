//! Where `vexilla serve` keeps the last good flags.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vexilla::{DiskArchive, DiskConfig};
use vexilla_domain::{ArchiveErrorKind, FlagArchive};

use crate::args::ServeArgs;
use crate::config::Environment;
use crate::error::CommandError;

/// The archive that was asked for, or the usual one. A folder that was named must work; the usual one is a convenience
/// that may be missing.
pub(crate) fn open(
    args: &ServeArgs,
    environment: &Environment,
) -> Result<Option<Arc<dyn FlagArchive>>, CommandError> {
    match (&args.archive, &args.source.flagr) {
        (Some(off), _) if off.as_os_str() == "off" => Ok(None),
        (Some(folder), _) => {
            let archive = DiskArchive::open(folder, DiskConfig::default());
            let archive = archive.map_err(|error| CommandError::Named(Box::new(error)))?;
            Ok(Some(Arc::new(archive)))
        }
        (None, Some(url)) => Ok(environment.cache_dir.as_deref().and_then(|it| usual(it, url))),
        (None, None) => Ok(None), // a file is its own archive
    }
}

fn usual(cache: &Path, url: &str) -> Option<Arc<dyn FlagArchive>> {
    let folder = folder_of(cache, url);
    match DiskArchive::open(&folder, DiskConfig::default()) {
        Ok(archive) => Some(Arc::new(archive)),
        Err(error) if error.kind() == ArchiveErrorKind::Locked => {
            tracing::warn!("{error}: a restart of this one will need Flagr");
            None
        }
        Err(error) => {
            tracing::warn!("no flags are kept for a restart: {error}");
            None
        }
    }
}

/// A folder for each Flagr: one's flags are not the other's. The address itself is no file name.
fn folder_of(cache: &Path, url: &str) -> PathBuf {
    let hash = crc32fast::hash(url.trim_end_matches('/').as_bytes());
    cache.join("vexilla").join(format!("{hash:08x}"))
}
