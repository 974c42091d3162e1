//! Rows, and whether they are met.

use super::{Row, table};

#[test]
fn of_pairs_the_middle_counts() {
    let row = Row::of_pairs("work", "peer", &[(90.0, 100.0), (10.0, 100.0), (80.0, 40.0)], 0.9);
    assert_eq!((row.ours, row.peer, row.ratio), (80.0, Some(100.0), Some(0.9)));
    assert!(row.is_met());
    assert!(!Row::of_pairs("work", "peer", &[(89.0, 100.0)], 0.9).is_met());
    assert!(!Row::of_pairs("work", "peer", &[], 0.0).is_met());
}

#[test]
fn of_bytes_less_is_met() {
    assert!(Row::of_bytes("work", 19_999.0, 20_000.0).is_met());
    assert!(!Row::of_bytes("work", 20_000.0, 20_000.0).is_met());
}

#[test]
fn the_table_says_what_is_missed() {
    let rows = [Row::of_pairs("work", "peer", &[(1.0, 2.0)], 0.8), Row::of_bytes("idle", 1.0, 2.0)];
    let table = table(&rows);
    let lines: Vec<Vec<&str>> = table.lines().map(|it| it.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["work", "1", "requests/s", "peer", "2", "0.50", "≥", "0.8", "MISSED"]);
    assert_eq!(lines[1], ["idle", "1", "bytes", "<", "2", "met"]);
}
