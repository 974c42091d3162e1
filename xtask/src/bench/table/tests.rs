//! Rows, as they are read, judged and shown.

use super::*;

fn row(ours: f64, peer: Option<f64>, bar: Option<Bar>) -> Row {
    let peer = peer.map(|value| Peer { name: "peer".to_owned(), value });
    Row { work: "work".to_owned(), unit: "ns".to_owned(), ours, peer, ratio: None, bar }
}

#[test]
fn a_bar_is_held_against_the_ratio_or_without_a_peer_against_our_figure() {
    assert_eq!(row(10.0, Some(10.0), Some(Bar::AtMost(1.0))).is_met(), Some(true));
    assert_eq!(row(10.1, Some(10.0), Some(Bar::AtMost(1.0))).is_met(), Some(false));
    assert_eq!(row(7.9, Some(10.0), Some(Bar::AtLeast(0.8))).is_met(), Some(false));
    assert_eq!(row(0.0, None, Some(Bar::AtMost(0.0))).is_met(), Some(true));
    assert_eq!(row(0.1, None, Some(Bar::AtMost(0.0))).is_met(), Some(false));
    assert_eq!(row(1.0, Some(2.0), None).is_met(), None);
}

#[test]
fn a_ratio_that_was_taken_in_pairs_goes_before_that_of_the_figures() {
    let row = Row { ratio: Some(0.9), ..row(80.0, Some(100.0), Some(Bar::AtLeast(0.85))) };
    assert_eq!(row.is_met(), Some(true));
    assert!(text(&[row]).contains("0.90"));
}

#[test]
fn rows_are_read_as_benchmarks_write_them() {
    let line = r#"{"work":"w","unit":"ns","ours":1.5,"peer":{"name":"p","value":3.0},"bar":{"at_most":1.0}}"#;
    let rows = read(&format!("{line}\n\n{line}\n")).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].bar, Some(Bar::AtMost(1.0)));
    let error = read("{\"work\":1}").unwrap_err();
    assert_eq!(error.to_string(), "not a row: {\"work\":1}");
}

#[test]
fn the_table_says_what_is_missed() {
    let rows = [
        row(1234.5, Some(617.25), Some(Bar::AtMost(1.0))),
        row(1.0, Some(2.0), Some(Bar::AtMost(1.0))),
    ];
    let text = text(&rows);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "work  1,234 ns  617 ns, peer   2.00   ≤ 1  missed");
    assert_eq!(lines[2], "work  1.00 ns   2.00 ns, peer  0.50   ≤ 1  met");
    let page = page(&rows, "About.");
    assert!(
        page.contains("| work | 1,234 ns | 617 ns, peer | 2.00 | ≤ 1 | **missed** |\n"),
        "{page}"
    );
}

#[test]
fn numbers_are_short() {
    let shown = [0.0, 0.126, 9.994, 12.34, 123.4, 1_234_567.0, -1_500.0].map(short);
    assert_eq!(shown, ["0", "0.13", "9.99", "12.3", "123", "1,234,567", "-1,500"]);
}
