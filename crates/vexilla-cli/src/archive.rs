//! Where `vexilla serve` keeps the last good flags.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vexilla::{DiskArchive, DiskConfig};
use vexilla_domain::{ArchiveErrorKind, FlagArchive, with_causes};

use crate::error::CommandError;
use crate::settings::{Section as _, Settings};

/// An archive, and its folder where that can be written to: nobody else has it meanwhile.
pub(crate) struct Opened {
    pub(crate) archive: Arc<dyn FlagArchive>,
    pub(crate) folder: Option<PathBuf>,
}

impl Opened {
    fn of(archive: DiskArchive, folder: PathBuf) -> Self {
        let folder = archive.is_held().then_some(folder);
        Self { archive: Arc::new(archive), folder }
    }
}

/// The archive that was asked for, or the usual one. A folder that was named must work, or at least hold flags; the usual
/// one is a convenience that may be missing.
pub(crate) fn open(
    settings: &Settings,
    cache_dir: Option<&Path>,
) -> Result<Option<Opened>, CommandError> {
    let mut config = DiskConfig::default();
    settings.archive.apply(&mut config);
    match (&settings.archive.dir, &settings.flagr.url) {
        (Some(off), _) if off.as_os_str() == "off" => Ok(None),
        (Some(folder), _) => {
            let archive = DiskArchive::open_or_read(folder, config);
            let archive = archive.map_err(|error| CommandError::Named(Box::new(error)))?;
            Ok(Some(Opened::of(archive, folder.clone())))
        }
        (None, Some(url)) => Ok(cache_dir.and_then(|it| usual(it, url, config))),
        (None, None) => Ok(None), // a file is its own archive
    }
}

fn usual(cache: &Path, url: &str, config: DiskConfig) -> Option<Opened> {
    let folder = folder_of(cache, url);
    match DiskArchive::open_or_read(&folder, config) {
        Ok(archive) => Some(Opened::of(archive, folder)),
        Err(error) if error.kind() == ArchiveErrorKind::Locked => {
            tracing::warn!("{error}: a restart of this one will need Flagr");
            None
        }
        Err(error) => {
            tracing::warn!("no flags are kept for a restart: {}", with_causes(&error));
            None
        }
    }
}

/// A folder for each Flagr: one's flags are not the other's. The address itself is no file name.
fn folder_of(cache: &Path, url: &str) -> PathBuf {
    let hash = crc32fast::hash(url.trim_end_matches('/').as_bytes());
    cache.join("vexilla").join(format!("{hash:08x}"))
}
