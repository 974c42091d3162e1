//! Readers and a writer at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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
