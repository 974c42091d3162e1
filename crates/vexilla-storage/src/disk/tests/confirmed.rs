//! When flags were confirmed, over restarts and every kind of damage.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vexilla_domain::{ArchiveErrorKind, Archived, Confirmation};

use super::{DiskArchive, check_error, config, files, holding, load, open};
use crate::disk::confirmed::{MOST, decode, encode};
use crate::sample::{flags, saved};

/// That these flags were confirmed so many milliseconds after they were saved.
fn later(flags: &Archived, by: u64) -> Confirmation {
    Confirmation { refreshed_at_ms: flags.refreshed_at_ms + by, ..flags.confirmation() }
}

fn age(directory: &Path) -> u64 {
    let loaded = DiskArchive::peek(directory, config(3)).unwrap().unwrap();
    let sequence = loaded.revision.sequence;
    let ms = loaded.refreshed_at_ms;
    let flags = flags(1, sequence);
    assert_eq!(
        saved(loaded),
        Archived { refreshed_at_ms: ms, ..flags.clone() },
        "nothing else has changed"
    );
    ms - flags.refreshed_at_ms
}

#[test]
fn a_confirmation_outlives_a_restart_and_is_no_generation() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1, 2]);
    for by in [1, 500, 70_000, 70_001] {
        assert!(archive.store.confirm(&later(&flags(1, 2), by)).unwrap());
        assert_eq!(age(directory.path()), by);
        assert_eq!(archive.store.held().unwrap(), Some(later(&flags(1, 2), by)));
    }
    assert_eq!(files(directory.path()), ["1.flags", "2.flags", "confirmed", "lock"]);
    drop(archive);
    let archive = open(directory.path());
    assert_eq!(archive.store.held().unwrap(), None, "it has not looked yet");
    let loaded = archive.store.load().unwrap().unwrap();
    assert_eq!(loaded.confirmation(), later(&flags(1, 2), 70_001));
    assert_eq!(archive.store.held().unwrap(), Some(loaded.confirmation()));
}

#[test]
fn it_speaks_of_the_flags_that_it_names_only() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1, 2]);
    let others = Confirmation { content: 7, ..flags(1, 2).confirmation() };
    for unknown in [flags(1, 1).confirmation(), flags(1, 3).confirmation(), others] {
        assert!(!archive.store.confirm(&unknown).unwrap());
    }
    assert_eq!(files(directory.path()), ["1.flags", "2.flags", "lock"], "nothing was noted");
    assert!(archive.store.confirm(&later(&flags(1, 2), 9)).unwrap());
    archive.store.save(&flags(1, 3)).unwrap();
    assert_eq!(age(directory.path()), 0);
    // It counts again for the flags that it was written for.
    fs::write(directory.path().join("3.flags"), "").unwrap();
    assert_eq!(age(directory.path()), 9);
}

#[test]
fn a_start_that_has_loaded_nothing_can_confirm_too() {
    let directory = TempDir::new().unwrap();
    drop(holding(directory.path(), [1]));
    assert!(open(directory.path()).store.confirm(&later(&flags(1, 1), 5)).unwrap());
    assert_eq!(age(directory.path()), 5);
}

#[test]
fn flags_that_are_there_already_are_only_confirmed() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1]);
    let again = Archived { refreshed_at_ms: flags(1, 1).refreshed_at_ms + 40, ..flags(1, 1) };
    archive.store.save(&again).unwrap();
    assert_eq!(files(directory.path()), ["1.flags", "confirmed", "lock"]);
    assert_eq!(age(directory.path()), 40);
    let others = Archived { source: "somebody else".into(), ..flags(1, 1) };
    archive.store.save(&others).unwrap();
    assert_eq!(files(directory.path()), ["1.flags", "2.flags", "confirmed", "lock"]);
}

#[test]
fn a_damaged_confirmation_says_nothing() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1]);
    assert!(archive.store.confirm(&later(&flags(1, 1), 33)).unwrap());
    let path = directory.path().join("confirmed");
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() < MOST);
    assert_eq!(decode(&whole), Some(later(&flags(1, 1), 33)));
    let check = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        assert_eq!(age(directory.path()), 0, "{}", String::from_utf8_lossy(bytes));
    };
    for length in 0..whole.len() {
        check(&whole[..length]);
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            check(&damaged);
        }
    }
    check(&[&whole[..], b" "].concat());
    check(&[b' '; 10_000]);
    check(b"vexilla-confirmed 1 1 1 x y z");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(age(directory.path()), 0);
}

#[test]
fn a_confirmation_is_written_as_one_line() {
    let text = encode(&later(&flags(1, 2), 3));
    assert_eq!(text, "vexilla-confirmed 1 1 2 fffffffffffffffd 1700000000005 14b4ae52\n",);
}

#[test]
fn what_is_missing_is_noticed() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("archive");
    let archive = holding(&folder, [1, 2]);
    let last = flags(1, 2);
    let is_there = |by| archive.store.confirm(&later(&last, by)).unwrap();
    assert!(is_there(1));

    fs::remove_file(folder.join("2.flags")).unwrap();
    assert!(!is_there(2), "the newest one is gone");
    assert_eq!(archive.store.held().unwrap(), Some(flags(1, 1).confirmation()));
    archive.store.save(&last).unwrap();
    assert!(is_there(3));

    fs::write(folder.join("2.flags"), "cut").unwrap();
    assert!(!is_there(4), "it has another length");
    archive.store.save(&last).unwrap();

    fs::remove_dir_all(&folder).unwrap();
    assert!(!is_there(5), "the folder is gone, and was made again");
    assert_eq!(archive.store.held().unwrap(), None);
    archive.store.save(&last).unwrap();
    assert!(is_there(6));
    assert_eq!(files(&folder), ["1.flags", "confirmed", "lock"]);

    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file is in the way").unwrap();
    check_error(archive.store.confirm(&later(&last, 7)), ArchiveErrorKind::Unavailable);
    fs::remove_file(&folder).unwrap();
    assert!(!is_there(8));
}

#[test]
fn a_folder_that_somebody_has_can_be_looked_into() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("archive");
    check_error(DiskArchive::peek(&folder, config(3)), ArchiveErrorKind::Unavailable);
    assert!(!folder.exists(), "nothing is made");
    let archive = holding(&folder, [1, 2]);
    fs::write(folder.join(".saving-now"), "on its way").unwrap();
    let before = files(&folder);
    let loaded = DiskArchive::peek(&folder, config(3)).unwrap().unwrap();
    assert_eq!(&*loaded.origin, "disk, generation 2");
    assert_eq!(saved(loaded), flags(1, 2));
    assert_eq!(files(&folder), before, "nothing is cleared away");
    assert_eq!(load(&archive.store).0, 2);
    fs::remove_file(folder.join("1.flags")).unwrap();
    fs::remove_file(folder.join("2.flags")).unwrap();
    assert_eq!(DiskArchive::peek(&folder, config(3)).unwrap(), None);
}
