//! Generations, damage of every kind, and folders that go away.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, FlagArchive, Revision};

use super::store::Store;
use super::{DiskArchive, DiskConfig};
use crate::sample::{flags, saved};
use crate::sealed::seal;

mod confirmed;
mod later;
mod single;
mod stops;
mod unwritable;

fn config(generations: usize) -> DiskConfig {
    DiskConfig { generations, max_document_bytes: 1 << 16 }
}

fn open(directory: impl AsRef<Path>) -> DiskArchive {
    DiskArchive::open(directory.as_ref(), config(3)).unwrap()
}

/// An archive with these sequences of epoch 1 saved one after the other.
fn holding(directory: &Path, sequences: impl IntoIterator<Item = u64>) -> DiskArchive {
    let archive = open(directory);
    for sequence in sequences {
        archive.store.save(&flags(1, sequence)).unwrap();
    }
    archive
}

/// The loaded sequence and where it was found. The flags must be exactly those that were saved.
fn load(store: &Store) -> (u64, String) {
    let loaded = store.load().unwrap().unwrap();
    let (sequence, origin) = (loaded.revision.sequence, loaded.origin.to_string());
    assert_eq!(saved(loaded), flags(1, sequence));
    (sequence, origin)
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn check_error<T: std::fmt::Debug>(
    result: Result<T, ArchiveError>,
    kind: ArchiveErrorKind,
) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

// What is kept

#[tokio::test]
async fn the_newest_flags_come_back() {
    let directory = TempDir::new().unwrap();
    let archive = open(directory.path());
    assert_eq!(archive.load().await.unwrap(), None);
    archive.save(&flags(1, 1)).await.unwrap();
    archive.save(&flags(1, 2)).await.unwrap();
    let loaded = archive.load().await.unwrap().unwrap();
    assert_eq!(&*loaded.origin, "disk, generation 2");
    assert_eq!(saved(loaded), flags(1, 2));
    assert_eq!(archive.describe(), directory.path().display().to_string());
}

#[test]
fn only_the_last_generations_are_kept() {
    for (keep, expected) in [
        (0, &["7.flags", "lock"][..]),
        (1, &["7.flags", "lock"]),
        (3, &["5.flags", "6.flags", "7.flags", "lock"]),
    ] {
        let directory = TempDir::new().unwrap();
        let archive = DiskArchive::open(directory.path(), config(keep)).unwrap();
        for sequence in 1..=7 {
            archive.store.save(&flags(1, sequence)).unwrap();
        }
        assert_eq!(files(directory.path()), expected);
    }
}

#[test]
fn an_older_revision_is_not_saved() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [5]);
    let text = check_error(archive.store.save(&flags(1, 4)), ArchiveErrorKind::Superseded);
    assert!(text.ends_with("holds the later revision 1.5"), "{text}");
    archive.store.save(&flags(1, 5)).unwrap(); // the same, confirmed again
    archive.store.save(&flags(2, 1)).unwrap(); // a new history
    assert_eq!(archive.store.load().unwrap().unwrap().revision, Revision { epoch: 2, sequence: 1 });

    drop(archive);
    let again = open(directory.path());
    check_error(again.store.save(&flags(1, 6)), ArchiveErrorKind::Superseded);
}

#[test]
fn a_document_that_is_too_large_is_not_saved() {
    let directory = TempDir::new().unwrap();
    let archive = open(directory.path());
    let mut large = flags(1, 1);
    large.document = vec![b' '; (1 << 16) + 1].into();
    check_error(archive.store.save(&large), ArchiveErrorKind::Unavailable);
    assert_eq!(files(directory.path()), ["lock"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("deep").join("folder");
    let _archive = holding(&folder, [1]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("1.flags")), 0o600);
    assert_eq!(mode(&folder.join("lock")), 0o600);
}

#[test]
fn other_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let others = ["+9.flags", "007.flags", "9.flags.bak", "99999999999999999999.flags", "x.flags"];
    for name in others {
        fs::write(directory.path().join(name), "not ours").unwrap();
    }
    let archive = holding(directory.path(), 1..=5);
    assert_eq!(load(&archive.store), (5, "disk, generation 5".into()));
    let files = files(directory.path());
    assert!(others.iter().all(|name| files.contains(&(*name).to_owned())), "{files:?}");
}

#[test]
fn a_last_number_is_the_end() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(format!("{}.flags", u64::MAX));
    fs::write(path, seal(&flags(1, 1)).unwrap()).unwrap();
    let archive = open(directory.path());
    check_error(archive.store.save(&flags(1, 2)), ArchiveErrorKind::Unavailable);
    assert_eq!(load(&archive.store).0, 1);
}

// Who may write

#[test]
fn one_folder_has_one_archive() {
    let directory = TempDir::new().unwrap();
    let first = holding(directory.path(), [1]);
    let second = DiskArchive::open(directory.path(), config(3));
    let text = check_error(second, ArchiveErrorKind::Locked);
    let folder = directory.path().display().to_string();
    assert_eq!(text, format!("the folder `{folder}` is used by another archive"));
    drop(first);
    assert_eq!(load(&open(directory.path()).store).0, 1);
}

#[test]
fn a_folder_that_was_removed_is_made_again() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("archive");
    let archive = holding(&folder, [1, 2]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(archive.store.load().unwrap(), None);
    fs::remove_dir_all(&folder).unwrap();
    archive.store.save(&flags(1, 1)).unwrap(); // what was there before counts no more
    assert_eq!(load(&archive.store), (1, "disk, generation 1".into()));

    // Somebody else was quicker.
    fs::remove_dir_all(&folder).unwrap();
    let other = holding(&folder, [7]);
    check_error(archive.store.save(&flags(1, 8)), ArchiveErrorKind::Locked);
    drop(other);
    archive.store.save(&flags(1, 8)).unwrap();
    assert_eq!(load(&archive.store), (8, "disk, generation 2".into()));
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_until_it_can() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("archive");
    let archive = holding(&folder, [1]);
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file is in the way").unwrap();
    check_error(archive.store.save(&flags(1, 2)), ArchiveErrorKind::Unavailable);
    check_error(archive.store.load(), ArchiveErrorKind::Unavailable);
    let text = check_error(DiskArchive::open(&folder, config(3)), ArchiveErrorKind::Unavailable);
    assert_eq!(text, format!("cannot use the folder `{}`", folder.display()));
    fs::remove_file(&folder).unwrap();
    archive.store.save(&flags(1, 2)).unwrap();
    assert_eq!(load(&archive.store).0, 2);
}

// Damage

/// A generation that is not whole under its own name: what a disk leaves that lies about fsync.
#[test]
fn a_newest_generation_that_is_cut_anywhere_falls_back() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1, 2]);
    let path = directory.path().join("2.flags");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(
            load(&archive.store),
            (1, "disk, generation 1 (generation 2 is damaged)".into())
        );
    }
}

#[test]
fn damaged_generations_are_passed_over_and_not_kept() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), 1..=3);
    for (name, content) in [("3.flags", "REDIS0011"), ("2.flags", "")] {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let origin = "disk, generation 1 (generation 3 is damaged, generation 2 is damaged)";
    assert_eq!(load(&archive.store), (1, origin.into()));
    check_error(archive.store.save(&flags(1, 0)), ArchiveErrorKind::Superseded);

    archive.store.save(&flags(1, 2)).unwrap(); // later than the newest good one
    assert_eq!(files(directory.path()), ["1.flags", "4.flags", "lock"]);
    assert_eq!(load(&archive.store), (2, "disk, generation 4".into()));
}

#[test]
fn a_folder_with_nothing_good_says_so() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1, 2]);
    for name in ["1.flags", "2.flags"] {
        fs::write(directory.path().join(name), "VXFLAGS\n").unwrap();
    }
    let text = check_error(archive.store.load(), ArchiveErrorKind::Corrupt);
    let folder = directory.path().display().to_string();
    assert_eq!(text, format!("no flags in `{folder}` can be read"));
    let error = archive.store.load().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "generation 2 is cut");
    assert!(cause.source().is_none(), "what was said is not said twice");
    archive.store.save(&flags(1, 1)).unwrap();
    assert_eq!(load(&archive.store).0, 1);
}

#[test]
fn a_generation_that_cannot_be_read_now_is_kept() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), [1, 2]);
    let path = directory.path().join("2.flags");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap(); // opens, and cannot be read
    let origin = "disk, generation 1 (generation 2 cannot be read)";
    assert_eq!(load(&archive.store), (1, origin.into()));
    archive.store.save(&flags(1, 3)).unwrap();
    assert_eq!(files(directory.path()), ["1.flags", "2.flags", "3.flags", "lock"]);

    fs::remove_file(directory.path().join("1.flags")).unwrap();
    fs::remove_file(directory.path().join("3.flags")).unwrap();
    check_error(archive.store.load(), ArchiveErrorKind::Unavailable);
}

#[test]
fn random_damage_falls_back() {
    let directory = TempDir::new().unwrap();
    let archive = holding(directory.path(), 1..=3);
    let originals: Vec<_> = (1..=3).map(|n| seal(&flags(1, n)).unwrap()).collect();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..500 {
        let mut good = None;
        for (generation, original) in (1..=3).zip(&originals) {
            let mut bytes = original.clone();
            if random.bool() {
                let at = random.usize(..bytes.len());
                bytes[at] ^= random.u8(1..);
            } else {
                good = Some(generation);
            }
            fs::write(directory.path().join(format!("{generation}.flags")), bytes).unwrap();
        }
        match good {
            Some(good) => assert_eq!(load(&archive.store).0, good),
            None => drop(check_error(archive.store.load(), ArchiveErrorKind::Corrupt)),
        }
    }
}
