//! Folders that cannot be written to.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vexilla_domain::{ArchiveErrorKind, Confirmation};

use super::{check_error, config, holding, load, open};
use crate::disk::DiskArchive;
use crate::sample::flags;

/// Where the lock should be is a folder, so that nobody can take this one, whoever runs the test.
fn make_unwritable(directory: &Path) {
    let _ = fs::remove_file(directory.join("lock"));
    fs::create_dir(directory.join("lock")).unwrap();
}

fn open_or_read(directory: &Path) -> Result<DiskArchive, vexilla_domain::ArchiveError> {
    DiskArchive::open_or_read(directory, config(3))
}

#[test]
fn flags_are_read_and_saved_as_soon_as_that_can_be() {
    let directory = TempDir::new().unwrap();
    drop(holding(directory.path(), 1..=2));
    make_unwritable(directory.path());
    check_error(DiskArchive::open(directory.path(), config(3)), ArchiveErrorKind::Unavailable);
    let archive = open_or_read(directory.path()).unwrap();
    assert!(!archive.is_held());
    assert_eq!(load(&archive.store), (2, "disk, generation 2".to_owned()));
    let held = flags(1, 2).confirmation();
    assert_eq!(archive.store.held().unwrap(), Some(held));
    let refreshed_at_ms = held.refreshed_at_ms + 1;
    let later = Confirmation { refreshed_at_ms, ..held };
    for _ in 0..2 {
        let text = check_error(archive.store.save(&flags(1, 3)), ArchiveErrorKind::Unavailable);
        assert_eq!(text, format!("cannot use the folder `{}`", directory.path().display()));
        check_error(archive.store.confirm(&later), ArchiveErrorKind::Unavailable);
    }
    assert_eq!(load(&archive.store).0, 2);

    fs::remove_dir(directory.path().join("lock")).unwrap();
    assert!(archive.store.confirm(&later).unwrap());
    assert!(archive.is_held());
    archive.store.save(&flags(1, 3)).unwrap();
    drop(archive);
    assert_eq!(load(&open(directory.path()).store).0, 3);
}

#[test]
fn one_without_flags_is_refused() {
    let directory = TempDir::new().unwrap();
    make_unwritable(directory.path());
    let text = check_error(open_or_read(directory.path()), ArchiveErrorKind::Unavailable);
    assert_eq!(text, format!("cannot use the folder `{}`", directory.path().display()));
    fs::write(directory.path().join("1.flags"), "no flags").unwrap();
    check_error(open_or_read(directory.path()), ArchiveErrorKind::Unavailable);

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    check_error(open_or_read(&file.join("below")), ArchiveErrorKind::Unavailable);
}

#[test]
fn one_that_another_archive_has_is_not_read() {
    let directory = TempDir::new().unwrap();
    let _other = holding(directory.path(), [1]);
    check_error(open_or_read(directory.path()), ArchiveErrorKind::Locked);
}
