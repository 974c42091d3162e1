//! A spool over everything that can happen to a process and to files.

// tidy: long because its cases share one way to fill a spool and to break it.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use vexilla_domain::ArchiveErrorKind;

use super::record::RECORD_HEAD;
use super::{Portion, Spool, SpoolConfig};

/// A small one, so that records soon have no room.
fn open(folder: &Path) -> Spool {
    Spool::open(folder, &SpoolConfig { max_bytes: 64 << 10 }).unwrap()
}

fn texts(portion: &Portion) -> Vec<String> {
    portion.records.iter().map(|it| String::from_utf8(it.1.to_vec()).unwrap()).collect()
}

/// Records and their numbers.
type Records = Vec<(u64, Box<[u8]>)>;

/// Looks at a few records and settles them, until none is left. Gives them, and how many were lost.
fn drain(spool: &mut Spool) -> (Records, u64) {
    let (mut all, mut lost) = (Vec::new(), 0);
    while spool.queued() > 0 {
        let portion = spool.look(7, usize::MAX).unwrap();
        assert!(spool.settled() < portion.through, "it comes further each time");
        lost += spool.settle(portion.through, portion.records.len() as u64);
        all.extend(portion.records);
    }
    (all, lost)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "spool"));
    files.sort();
    files
}

#[test]
fn what_was_appended_is_looked_at_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a", "b"]).unwrap();
    spool.append(&["c"]).unwrap();

    let portion = spool.look(2, usize::MAX).unwrap();
    assert_eq!((texts(&portion), portion.through), (vec!["a".into(), "b".into()], 2));
    assert_eq!(spool.look(2, usize::MAX).unwrap(), portion, "nothing was settled");
    assert_eq!(texts(&spool.look(9, 1).unwrap()), ["a"], "one byte, and no more");

    assert_eq!(spool.settle(2, 2), 0);
    assert_eq!(texts(&spool.look(2, usize::MAX).unwrap()), ["c"]);
    assert_eq!((spool.queued(), spool.dropped()), (1, 0));
}

#[test]
fn a_process_that_is_killed_loses_nothing_and_repeats_what_was_not_settled() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a", "b", "c"]).unwrap();
    spool.look(1, usize::MAX).unwrap();
    spool.settle(1, 1);
    drop(spool); // nothing is written on the way out

    let mut spool = open(folder.path());
    assert_eq!(spool.queued(), 2);
    spool.append(&["d"]).unwrap();
    assert_eq!(texts(&spool.look(9, usize::MAX).unwrap()), ["b", "c", "d"]);
    assert_eq!(drain(&mut spool).1, 0);
    drop(spool);
    assert_eq!((open(folder.path()).queued(), files(folder.path()).len()), (0, 0));
}

#[test]
fn the_oldest_are_dropped_first_and_counted_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let record = "x".repeat(1_000);
    for _ in 0..500 {
        spool.append(&[&record]).unwrap();
        assert!(spool.bytes() <= 64 << 10);
    }
    let dropped = spool.dropped();
    assert!(dropped > 400, "{dropped}");
    assert_eq!((spool.queued(), spool.dropped()), (500 - dropped, dropped));
    drop(spool);

    let mut spool = open(folder.path());
    let (left, lost) = drain(&mut spool);
    let numbers: Vec<u64> = left.into_iter().map(|it| it.0).collect();
    assert_eq!((numbers, lost), ((dropped + 1..=500).collect(), 0));
    assert_eq!(spool.dropped(), dropped);
}

/// The others had to make room for it before it could not be written.
#[test]
fn what_is_dropped_for_one_that_cannot_be_written_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let record = "x".repeat(1_000);
    for _ in 0..60 {
        spool.append(&[&record]).unwrap();
    }
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!((spool.queued(), spool.dropped()), (60, 0));
    let next = folder.path().join(format!("{:020}.spool", 61));
    fs::create_dir(&next).unwrap(); // where it would be written
    spool.append(&["y".repeat(30_000)]).unwrap_err();
    let dropped = spool.dropped();
    assert!(20 < dropped, "{dropped}");
    assert_eq!(spool.queued() + dropped, 60);
    fs::remove_dir(&next).unwrap();
    spool.append(&["y"]).unwrap();
    assert_eq!(drain(&mut spool).0.len() as u64, 61 - dropped);
}

#[test]
fn only_what_waits_has_its_bytes_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let settle = |spool: &mut Spool, count: u64| {
        let portion = spool.look(usize::try_from(count).unwrap(), usize::MAX).unwrap();
        assert_eq!(spool.settle(portion.through, count), 0);
    };
    let each = 1_000 + RECORD_HEAD as u64;
    let record = "x".repeat(1_000);
    assert_eq!(spool.queued_bytes(), 0);
    for count in 1..=10 {
        spool.append(&[&record]).unwrap();
        assert_eq!(spool.queued_bytes(), count * each);
    }
    settle(&mut spool, 1);
    assert_eq!((spool.queued_bytes(), spool.queued()), (9 * each, 9));
    settle(&mut spool, 4);
    assert_eq!((spool.queued_bytes(), spool.queued()), (5 * each, 5));
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!((spool.queued_bytes(), spool.queued()), (5 * each, 5), "also by the next process");
    spool.append(&[&record]).unwrap();
    settle(&mut spool, 6);
    assert_eq!((spool.queued_bytes(), spool.queued()), (0, 0));
    assert!(0 < spool.bytes(), "the file is still there");
}

/// They hold ids and contexts of people.
#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made").join("here");
    let mut spool = open(&path);
    for _ in 0..20 {
        spool.append(&["x".repeat(1_000)]).unwrap();
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
    let modes: Vec<_> = fs::read_dir(&path).unwrap().map(|it| mode(&it.unwrap().path())).collect();
    assert!(modes.len() > 4 && modes.iter().all(|it| *it == 0o600), "{modes:?}");
}

/// A batch is on its way while the place that it came from is needed.
#[test]
fn what_is_dropped_on_its_way_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let record = "x".repeat(1_000);
    spool.append(&[&record, &record]).unwrap();
    let portion = spool.look(9, usize::MAX).unwrap();
    for _ in 0..200 {
        spool.append(&[&record]).unwrap();
    }
    let (queued, dropped) = (spool.queued(), spool.dropped());
    assert_eq!(queued + dropped, 202);
    assert_eq!(spool.settle(portion.through, 0), 0, "it is settled already");
    assert_eq!((spool.queued(), spool.dropped()), (queued, dropped));
    assert_eq!(drain(&mut spool).1, 0);
}

#[test]
fn one_at_a_time_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let held = open(folder.path());
    let refused = Spool::open(folder.path(), &SpoolConfig::default()).unwrap_err();
    assert_eq!(refused.kind(), ArchiveErrorKind::Locked);
    assert!(refused.to_string().contains("is used by another process"), "{refused}");
    drop(held);
    open(folder.path());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Spool::open(file.join("spool"), &SpoolConfig::default()).unwrap_err();
    assert_eq!(refused.kind(), ArchiveErrorKind::Unavailable);
}

#[test]
fn a_folder_that_goes_away_is_made_anew_and_its_loss_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let mut spool = open(&path);
    spool.append(&["a", "b"]).unwrap();
    fs::remove_dir_all(&path).unwrap();
    spool.append(&["c"]).unwrap();
    drop(spool);

    let mut spool = open(&path);
    let (left, lost) = drain(&mut spool);
    assert_eq!((left.len(), lost, spool.dropped()), (1, 2, 2));

    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "no folder").unwrap();
    assert_eq!(spool.append(&["d"]).unwrap_err().kind(), ArchiveErrorKind::Unavailable);
    fs::remove_file(&path).unwrap();
    spool.append(&["e"]).unwrap();
    assert_eq!(texts(&spool.look(9, usize::MAX).unwrap()), ["e"]);
}

#[test]
fn a_file_that_goes_away_costs_what_was_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a", "b"]).unwrap();
    fs::remove_file(&files(folder.path())[0]).unwrap();
    spool.append(&["c"]).unwrap();
    let (left, lost) = drain(&mut spool);
    assert_eq!((left.len(), lost), (1, 2));
}

#[test]
fn a_write_that_was_cut_short_costs_nothing_that_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a"]).unwrap();
    let whole = fs::read(&files(folder.path())[0]).unwrap();
    spool.append(&["bb"]).unwrap();
    let longer = fs::read(&files(folder.path())[0]).unwrap();
    drop(spool);
    for cut in whole.len()..longer.len() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        spool.append(&["a"]).unwrap();
        drop(spool);
        fs::write(&files(folder.path())[0], &longer[..cut]).unwrap();
        let mut spool = open(folder.path());
        spool.append(&["c"]).unwrap();
        let (left, lost) = drain(&mut spool);
        let numbers: Vec<u64> = left.iter().map(|it| it.0).collect();
        assert_eq!((numbers, lost), (vec![1, 2], 0), "cut at {cut}");
        assert_eq!(&*left[1].1, b"c");
    }
}

#[test]
fn without_marks_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a", "b", "c"]).unwrap();
    spool.settle(1, 1);
    drop(spool);
    fs::write(folder.path().join("marks"), "nonsense").unwrap();
    let mut spool = open(folder.path());
    assert_eq!(texts(&spool.look(9, usize::MAX).unwrap()), ["a", "b", "c"]);
    drop(spool);
    assert_eq!(open(folder.path()).queued(), 3);
}

#[test]
fn records_of_a_later_version_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a"]).unwrap();
    drop(spool);
    let file = &files(folder.path())[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[8] = 2;
    let sum = crc32fast::hash(&bytes[..20]).to_le_bytes();
    bytes[20..24].copy_from_slice(&sum);
    fs::write(file, &bytes).unwrap();
    let refused = Spool::open(folder.path(), &SpoolConfig::default()).unwrap_err();
    assert_eq!(refused.kind(), ArchiveErrorKind::Corrupt);
    assert!(refused.to_string().contains("has format 2"), "{refused}");
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[test]
fn what_is_too_long_is_refused_and_nothing_else_dropped_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&["a"]).unwrap();
    assert!(spool.append(&[vec![0; 100 << 10]]).is_err());
    assert!(spool.append(&[vec![0; (1 << 20) + 1]]).is_err());
    assert_eq!(drain(&mut spool), (vec![(1, b"a".to_vec().into())], 0));
}

/// What somebody does to the files.
#[derive(Debug, Clone)]
enum Damage {
    Flip { file: usize, at: usize, bit: u8 },
    Cut { file: usize, at: usize },
    Remove { file: usize },
    Zero { file: usize, at: usize, length: usize },
    Insert { file: usize, at: usize, bytes: Vec<u8> },
}

fn damages() -> impl Strategy<Value = Damage> {
    let (file, at) = (any::<usize>(), any::<usize>());
    prop_oneof![
        4 => (file, at, 0..8_u8).prop_map(|(file, at, bit)| Damage::Flip { file, at, bit }),
        2 => (file, at).prop_map(|(file, at)| Damage::Cut { file, at }),
        1 => file.prop_map(|file| Damage::Remove { file }),
        2 => (file, at, 1..300_usize).prop_map(|(file, at, length)| Damage::Zero { file, at, length }),
        1 => (file, at, prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(file, at, bytes)| Damage::Insert { file, at, bytes }),
    ]
}

impl Damage {
    fn apply(&self, files: &[std::path::PathBuf]) {
        let (Self::Flip { file, .. }
        | Self::Cut { file, .. }
        | Self::Remove { file }
        | Self::Zero { file, .. }
        | Self::Insert { file, .. }) = self;
        let path = &files[file % files.len()];
        let Ok(mut bytes) = fs::read(path) else { return };
        let place = |at: &usize, bytes: &[u8]| at % bytes.len().max(1);
        match self {
            Self::Remove { .. } => return fs::remove_file(path).unwrap(),
            Self::Flip { at, bit, .. } => {
                let at = place(at, &bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Cut { at, .. } => bytes.truncate(place(at, &bytes)),
            Self::Zero { at, length, .. } => {
                let at = place(at, &bytes);
                bytes.iter_mut().skip(at).take(*length).for_each(|it| *it = 0);
            }
            Self::Insert { at, bytes: more, .. } => {
                let at = place(at, &bytes);
                bytes.splice(at..at, more.iter().copied());
            }
        }
        fs::write(path, bytes).unwrap();
    }
}

/// The record of this number.
fn payload(sequence: u64) -> Vec<u8> {
    let length = usize::try_from(sequence % 97).unwrap();
    format!("{sequence}:{}", "y".repeat(length)).into_bytes()
}

proptest! {
    /// Whatever is damaged: each record comes out as it went in, in order, or it is counted.
    #[test]
    fn damage_costs_what_is_damaged_and_is_counted(
        writes in prop::collection::vec(1..20_u64, 1..30),
        settled in 0..40_u64,
        damages in prop::collection::vec(damages(), 0..6),
        marks_too: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut appended = 0;
        let mut spool = open(folder.path());
        for count in writes {
            let records: Vec<_> = (appended + 1..=appended + count).map(payload).collect();
            spool.append(&records).unwrap();
            appended += count;
        }
        let settled = settled.min(appended);
        spool.settle(settled, settled);
        drop(spool);

        let mut targets = files(folder.path());
        if marks_too {
            targets.push(folder.path().join("marks"));
        }
        if !targets.is_empty() {
            for damage in &damages {
                damage.apply(&targets);
            }
        }

        let mut spool = open(folder.path());
        let next = appended.max(spool.settled() + spool.queued()) + 1;
        if !marks_too {
            prop_assert_eq!(next, appended + 1);
        }
        let mut last = spool.settled();
        spool.append(&[b"new"]).unwrap();
        let mut arrived = 0;
        let (records, lost) = drain(&mut spool);
        let mut new = 0;
        for (sequence, bytes) in records {
            prop_assert!(last < sequence);
            last = sequence;
            if &*bytes == b"new" {
                new += 1;
            } else {
                prop_assert_eq!(bytes.to_vec(), payload(sequence));
                arrived += 1;
            }
        }
        prop_assert_eq!(new, 1);
        if !marks_too {
            prop_assert_eq!(settled + arrived + lost, appended);
            prop_assert_eq!(spool.dropped(), lost);
        }
    }
}
