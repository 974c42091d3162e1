//! Reading exports.

use super::*;

fn content(flags: &str) -> u64 {
    read("/export", format!("{{\"Flags\":[{flags}]}}").as_bytes()).unwrap().content
}

#[test]
fn the_fingerprint_ignores_order_and_nothing_else() {
    let (a, b) = (r#"{"ID":1,"Key":"a","SnapshotID":3}"#, r#"{"ID":2,"Key":"b"}"#);
    let bad = r#"{"ID":3,"Key":"c","Segments":"none"}"#;
    assert_eq!(content(&format!("{a},{b},{bad}")), content(&format!("{bad},\n{b},{a}")));
    assert_ne!(content(&format!("{a},{b}")), content(a));
    assert_ne!(content(&format!("{a},{b}")), content(&format!("{a},{b},{bad}")));
    assert_ne!(content(a), content(&a.replace("\"SnapshotID\":3", "\"SnapshotID\":4")));
    assert_ne!(content(a), content(&a.replace("\"Key\":\"a\"", "\"Key\":\"z\"")));
}

#[test]
fn flags_come_sorted_with_the_newest_snapshot() {
    let body = br#"{"Flags":[{"ID":7,"Key":"a","SnapshotID":2},{"ID":3,"Key":"b","SnapshotID":9},{"ID":5,"Key":"c"}]}"#;
    let export = read("/export", body).unwrap();
    assert_eq!(export.flags.iter().map(|it| it.id.0).collect::<Vec<_>>(), [3, 5, 7]);
    assert_eq!(export.newest, 9);
    assert_eq!(read("/export", br#"{"Flags":[]}"#).unwrap().newest, 0);
}

#[test]
fn something_else_is_never_no_flags() {
    for body in [
        "",
        "null",
        "[]",
        " [{\"id\":1}]",
        "{}",
        r#"{"message":"boom"}"#,
        r#"{"Flags":5}"#,
        r#"{"Flags":[{"#,
    ] {
        let error = read("GET /api/v1/export/eval_cache/json", body.as_bytes()).unwrap_err();
        let told = error.to_string();
        assert!(
            told.starts_with(
                "GET /api/v1/export/eval_cache/json answered something else than expected: "
            ),
            "{told}"
        );
    }
}
