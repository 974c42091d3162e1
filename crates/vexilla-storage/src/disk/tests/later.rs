//! Generations that a later version of Vexilla has written.

use std::fs;

use tempfile::TempDir;
use vexilla_domain::ArchiveErrorKind;

use super::{check_error, files, holding, load, open};
use crate::sample::flags;
use crate::sealed::seal;

/// Flags in a format that is to come.
fn of_later_version(sequence: u64) -> Vec<u8> {
    let mut bytes = seal(&flags(1, sequence)).unwrap();
    bytes[8] = 2;
    bytes.truncate(40); // whatever it is that comes behind
    bytes
}

#[test]
fn they_are_passed_over_and_neither_deleted_nor_counted() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), 1..=2);
    fs::write(directory.path().join("3.flags"), of_later_version(3)).unwrap();
    let origin = "disk, generation 2 (generation 3 is of another version of Vexilla)";
    assert_eq!(load(&archive.store), (2, origin.into()));
    let mut written = Vec::new();
    for sequence in 4..=9 {
        archive.store.save(&flags(1, sequence)).unwrap();
        written.push(format!("{sequence}.flags"));
        let last = written.len().saturating_sub(3);
        let names = files(directory.path());
        assert!(names.contains(&"3.flags".into()), "{names:?}");
        assert!(written[last..].iter().all(|it| names.contains(it)), "{names:?}");
    }
    assert_eq!(files(directory.path()), ["3.flags", "7.flags", "8.flags", "9.flags", "lock"]);
    assert_eq!(load(&open_again(archive, &directory).store), (9, "disk, generation 9".into()));
}

fn open_again(archive: crate::DiskArchive, directory: &TempDir) -> crate::DiskArchive {
    drop(archive);
    open(directory.path())
}

#[test]
fn alone_they_are_an_error_that_names_the_format() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("7.flags"), of_later_version(7)).unwrap();
    let archive = open(directory.path());
    let error = archive.store.load().unwrap_err();
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "generation 7 has format 2, which this version of Vexilla does not read"
    );
    check_error(Err::<(), _>(error), ArchiveErrorKind::Corrupt);
    archive.store.save(&flags(1, 1)).unwrap();
    assert_eq!(files(directory.path()), ["7.flags", "8.flags", "lock"]);
}

#[test]
fn what_is_damaged_otherwise_is_no_later_version() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), 1..=2);
    let mut damaged = of_later_version(3);
    damaged[0] = b'X';
    fs::write(directory.path().join("3.flags"), damaged).unwrap();
    fs::write(directory.path().join("4.flags"), "VXFLAGS\n").unwrap();
    archive.store.save(&flags(1, 5)).unwrap();
    assert_eq!(files(directory.path()), ["1.flags", "2.flags", "5.flags", "lock"]);
}
