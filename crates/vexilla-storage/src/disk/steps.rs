//! The steps of a save, so that a test can stop it anywhere.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// What a save does to the disk, in this order.
pub(super) trait Steps: fmt::Debug + Send + Sync {
    fn write(&self, file: &mut NamedTempFile, bytes: &[u8]) -> io::Result<()> {
        file.as_file_mut().write_all(bytes) // the error of the other one names the file
    }

    fn sync_file(&self, file: &NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()
    }

    /// Gives the file its name, which makes it the newest generation.
    fn rename(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Makes the names in a folder durable. Windows knows no such call and needs none.
    fn sync_folder(&self, directory: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// The real one.
#[derive(Debug)]
pub(super) struct Disk;

impl Steps for Disk {}
