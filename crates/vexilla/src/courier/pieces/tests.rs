//! What becomes of a batch in pieces.

use super::*;

/// Sends so many to somebody who takes no more than `limit` at once and none of `faulty`. Gives what was taken, what was
/// found to be at fault, and how often was asked.
fn send(
    count: usize,
    most: usize,
    limit: usize,
    faulty: &[usize],
) -> (Vec<usize>, Vec<usize>, u32) {
    let mut pieces = Pieces::of(count);
    let (mut taken, mut found, mut asked) = (Vec::new(), Vec::new(), 0);
    while let Some(piece) = pieces.next(most) {
        asked += 1;
        if piece.len() <= limit && !faulty.iter().any(|it| piece.contains(it)) {
            taken.extend(piece);
        } else if !pieces.halve(&piece) {
            found.extend(piece);
        }
    }
    (taken, found, asked)
}

#[test]
fn what_is_right_is_sent_once_and_in_order() {
    assert_eq!(send(0, 9, 9, &[]), (vec![], vec![], 0));
    assert_eq!(send(5, 9, 9, &[]), ((0..5).collect(), vec![], 1));
    assert_eq!(send(5, 2, 9, &[]), ((0..5).collect(), vec![], 3));
    assert_eq!(send(2, 0, 9, &[]), (vec![0, 1], vec![], 2));
    assert_eq!(send(60, 99, 15, &[]), ((0..60).collect(), vec![], 7));
    assert_eq!(send(2, 9, 0, &[]), (vec![], vec![0, 1], 3));
}

#[test]
fn what_is_at_fault_is_found_alone() {
    for faulty in [&[0][..], &[99], &[7, 8, 50], &[3, 96]] {
        let (taken, found, asked) = send(100, 100, 100, faulty);
        assert_eq!(found, faulty);
        assert!(taken.into_iter().eq((0..100).filter(|it| !faulty.contains(it))));
        assert!(asked <= 1 + 14 * u32::try_from(faulty.len()).unwrap(), "{asked}");
    }
    let all: Vec<_> = (0..100).collect();
    assert_eq!(send(100, 100, 100, &all), (vec![], all.clone(), 199));
}
