//! A folder that one process at a time has.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::path::Path;

use fs4::TryLockError;

const LOCK: &str = "lock";

/// Makes the folder if need be, for its owner alone, and locks it. The system lets go of the lock when the file is closed,
/// also when the process is killed.
pub(crate) fn make_and_lock(path: &Path) -> Result<File, TryLockError> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).map_err(TryLockError::Error)?;
    let lock = private().create(true).truncate(false).open(path.join(LOCK));
    let lock = lock.map_err(TryLockError::Error)?;
    // By its full name: newer compilers than our oldest one have a method of this name.
    fs4::FileExt::try_lock(&lock)?;
    Ok(lock)
}

/// How a file is opened for writing that only its owner may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether the folder that was locked is still the one of this name.
pub(crate) fn is_held(lock: &File, path: &Path) -> bool {
    let (held, named) = (lock.metadata(), fs::metadata(path.join(LOCK)));
    matches!((held, named), (Ok(held), Ok(named)) if is_same(&held, &named))
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Where an open file cannot be removed, a file of its name is the same.
#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
