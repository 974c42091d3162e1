//! Rows, and whether they are met.

use super::{of_few, of_pairs};

#[test]
fn of_pairs_the_middle_counts() {
    let row = of_pairs("work", "peer", &[(90.0, 100.0), (10.0, 100.0), (80.0, 40.0)], 0.9);
    assert_eq!((row.ours, row.peer.as_ref().unwrap().value, row.ratio), (80.0, 100.0, Some(0.9)));
    assert_eq!(row.is_met(), Some(true));
    assert_eq!(of_pairs("work", "peer", &[(89.0, 100.0)], 0.9).is_met(), Some(false));
    let two = of_pairs("work", "peer", &[(90.0, 100.0), (70.0, 100.0)], 0.9);
    assert_eq!((two.ours, two.ratio), (80.0, Some(0.8)));
    assert_eq!(of_pairs("work", "peer", &[], 0.0).is_met(), Some(false));
}

#[test]
fn of_few_less_is_met() {
    assert_eq!(of_few("work", "bytes", 20_000.0, 20_000.0).is_met(), Some(true));
    assert_eq!(of_few("work", "bytes", 20_001.0, 20_000.0).is_met(), Some(false));
}
