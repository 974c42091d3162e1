//! One flag out of many.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use std::{fs, io, thread};

use tempfile::{NamedTempFile, TempDir};
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{ArchiveErrorKind, Archived, Flag, FlagArchive, FlagId, Revision};

use super::{check_error, config};
use crate::DiskArchive;
use crate::disk::DiskConfig;
use crate::disk::steps::{Disk, Steps};
use crate::disk::store::Store;

/// Many flags, enough for several frames.
fn many(sequence: u64) -> (Vec<Flag>, Archived) {
    let flag = |n: u64| {
        format!(
            r#"{{"ID":{},"Key":"flag-{n}","Description":"{}, version {sequence}"}}"#,
            n * 3 + 1,
            "long ".repeat(20)
        )
    };
    let flags: Vec<String> = (0..500).map(flag).collect();
    let flags = read_flags(format!("[{}]", flags.join(",")).as_bytes()).unwrap().flags;
    let mut document = write_flags(&flags);
    document.push(b'\n');
    let revision = Revision { epoch: 0, sequence };
    (flags, Archived { document: document.into(), revision, ..Archived::default() })
}

fn open(directory: &TempDir) -> DiskArchive {
    let config = DiskConfig { max_document_bytes: 1 << 20, ..config(3) };
    DiskArchive::open(directory.path(), config).unwrap()
}

#[tokio::test]
async fn each_flag_can_be_read_alone() {
    let directory = TempDir::new().unwrap();
    let archive = open(&directory);
    assert_eq!(archive.load_flag(FlagId(1), &|_| true).await.unwrap(), None);
    for sequence in 1..=5 {
        let (flags, archived) = many(sequence);
        archive.save(&archived).await.unwrap();
        for flag in flags {
            let found = archive.load_flag(flag.id, &|it| *it == flag).await.unwrap();
            assert_eq!(found, Some(flag));
        }
        assert_eq!(archive.load_flag(FlagId(2), &|_| true).await.unwrap(), None);
        assert_eq!(archive.load_flag(FlagId(1), &|_| false).await.unwrap(), None);
        assert_eq!(archive.load().await.unwrap().unwrap().document, archived.document);
    }
}

/// Rules are served until those that were saved after them are.
#[tokio::test]
async fn a_flag_of_the_generation_before_is_had_where_it_is_wanted() {
    for asks_between in [true, false] {
        let directory = TempDir::new().unwrap();
        let archive = open(&directory);
        let versions: Vec<_> = (1..=3).map(many).collect();
        let [oldest, before, newest] = [0, 1, 2].map(|at: usize| versions[at].0[7].clone());
        for (_, archived) in &versions {
            archive.save(archived).await.unwrap();
            if asks_between {
                assert!(archive.load_flag(newest.id, &|_| true).await.unwrap().is_some());
            }
        }
        for flag in [&before, &newest, &before] {
            let found = archive.load_flag(flag.id, &|it| it == flag).await.unwrap();
            assert_eq!(found.as_ref(), Some(flag));
        }
        let found = archive.load_flag(newest.id, &|_| true).await.unwrap();
        assert_eq!(found, Some(newest), "the newest comes first");
        assert_eq!(archive.load_flag(oldest.id, &|it| *it == oldest).await.unwrap(), None);
    }
}

/// Has somebody ask for a flag while a save is under way.
#[derive(Debug)]
struct Asks(Sender<()>);

impl Steps for Asks {
    fn sync_file(&self, file: &NamedTempFile) -> io::Result<()> {
        self.0.send(()).unwrap();
        for _ in 0..1_000 {
            thread::yield_now(); // gives the other one time to begin
        }
        Disk.sync_file(file)
    }
}

#[test]
fn a_flag_can_be_asked_for_while_others_are_saved() {
    let directory = TempDir::new().unwrap();
    let (asked, ask) = channel();
    let config = DiskConfig { max_document_bytes: 1 << 20, ..config(3) };
    let store = Store::open(directory.path().to_owned(), config, Box::new(Asks(asked))).unwrap();
    let store = Arc::new(store);
    let (done, ended) = channel();
    let reader = Arc::clone(&store);
    thread::spawn(move || {
        while ask.recv().is_ok() {
            _ = reader.load_flag(FlagId(1)).unwrap();
            done.send(()).unwrap();
        }
    });
    thread::spawn(move || {
        for sequence in 1..=20 {
            store.save(&many(sequence).1).unwrap();
        }
    });
    for _ in 0..20 {
        ended.recv_timeout(Duration::from_secs(60)).expect("nobody waits for another for ever");
    }
}

#[tokio::test]
async fn a_body_of_one_frame_is_read_too() {
    let directory = TempDir::new().unwrap();
    let (flags, archived) = many(1);
    drop(open(&directory));
    let sealed = crate::sealed::seal_in_one_frame(&archived).unwrap();
    fs::write(directory.path().join("1.flags"), sealed).unwrap();
    let archive = open(&directory);
    assert_eq!(archive.load().await.unwrap().unwrap().document, archived.document);
    for flag in flags.iter().step_by(50) {
        assert_eq!(archive.load_flag(flag.id, &|_| true).await.unwrap().as_ref(), Some(flag));
    }
}

#[tokio::test]
async fn damage_gives_an_older_version_or_an_error_and_never_another_flag() {
    let directory = TempDir::new().unwrap();
    let archive = open(&directory);
    let ((old, first), (new, second)) = (many(1), many(2));
    archive.save(&first).await.unwrap();
    archive.save(&second).await.unwrap();
    let path = directory.path().join("2.flags");
    let whole = fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let (mut older, mut newer) = (0, 0);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u32(..8);
        fs::write(&path, &bytes).unwrap();
        let n = random.usize(..new.len());
        match archive.load_flag(FlagId(n as u64 * 3 + 1), &|_| true).await.unwrap() {
            Some(flag) if flag == new[n] => newer += 1,
            Some(flag) if flag == old[n] => older += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(older > 0 && newer + older == 200);
    for generation in ["1.flags", "2.flags"] {
        fs::write(directory.path().join(generation), b"VXFLAGS\nno").unwrap();
    }
    drop(archive);
    let archive = open(&directory);
    check_error(archive.load_flag(FlagId(1), &|_| true).await, ArchiveErrorKind::Corrupt);
}
