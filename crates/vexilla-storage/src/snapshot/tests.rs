//! Readers and a writer at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use vexilla_domain::Revision;

use super::SnapshotCell;

#[test]
fn readers_see_whole_values_that_never_go_back() {
    // Both halves of a value are equal; a reader that saw half of a change would see them differ.
    let cell = SnapshotCell::new(Arc::new([0_u64; 2]));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Acquire) {
                    let seen = cell.load();
                    assert_eq!(seen[0], seen[1]);
                    assert!(seen[0] >= last, "a reader went back from {last} to {}", seen[0]);
                    last = seen[0];
                }
                assert_eq!(*cell.load(), [20_000; 2]);
            });
        }
        for n in 1..=20_000 {
            cell.publish(Arc::new([n; 2]));
        }
        done.store(true, Ordering::Release);
    });
}

#[test]
fn a_lease_keeps_the_value_it_was_given() {
    let cell = SnapshotCell::new(Arc::new(1));
    let lease = cell.load();
    cell.publish(Arc::new(2));
    assert_eq!((*lease, *cell.load(), *cell.load_full()), (1, 2, 2));
}

/// Writers that come with old and new revisions in any order: nobody ever sees one go back, and the newest stays.
#[test]
fn an_older_revision_never_replaces_a_newer_one() {
    const WRITERS: u64 = 3;
    const REVISIONS: u64 = 4_000;
    let revision = |n: u64| Revision { epoch: n / 100, sequence: n % 100 };
    for seed in 0..5 {
        let cell = SnapshotCell::new(Arc::new(revision(0)));
        let writing = AtomicU64::new(WRITERS);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (cell, writing) = (&cell, &writing);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(WRITERS * seed + writer);
                    let mut revisions: Vec<_> = (1..=REVISIONS).map(revision).collect();
                    for block in revisions.chunks_mut(50) {
                        random.shuffle(block); // newer and older ones close together, as in a race
                    }
                    for revision in revisions {
                        let published = cell.publish_newer(&Arc::new(revision), |it| *it);
                        let now = *cell.load();
                        assert!(revision <= now, "{revision} is later than {now}, which is served");
                        assert!(published || revision < now, "{revision} was refused for {now}");
                    }
                    writing.fetch_sub(1, Ordering::Release);
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = revision(0);
                    while writing.load(Ordering::Acquire) > 0 {
                        let seen = *cell.load();
                        assert!(last <= seen, "a reader went back from {last} to {seen}");
                        last = seen;
                    }
                });
            }
        });
        assert_eq!(*cell.load(), revision(REVISIONS));
    }
}

#[test]
fn the_same_revision_is_replaced() {
    let one = Revision { epoch: 1, sequence: 1 };
    let cell = SnapshotCell::new(Arc::new((one, "first")));
    assert!(cell.publish_newer(&Arc::new((one, "second")), |it| it.0));
    assert!(!cell.publish_newer(&Arc::new((Revision::default(), "third")), |it| it.0));
    assert_eq!(cell.load().1, "second");
}
