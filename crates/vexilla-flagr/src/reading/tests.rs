//! Reading exports and lists.

use super::*;

fn content(flags: &str) -> u64 {
    export("/export", format!("{{\"Flags\":[{flags}]}}").as_bytes()).unwrap().content
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

/// Archives keep it, and other processes compare it: if this changes, the version of what keeps it must change too.
#[test]
fn the_fingerprint_is_the_same_everywhere() {
    assert_eq!(content(r#"{"ID":1,"Key":"a","SnapshotID":3}"#), 0xfd49_f259_f727_39c3);
    assert_eq!(content(""), 0xe3b0_c442_98fc_1c14, "the beginning of the SHA-256 of nothing");
}

#[test]
fn flags_with_one_id_have_an_order_too() {
    let (a, b) = (r#"{"ID":1,"Key":"a"}"#, r#"{"ID":1,"Key":"b"}"#);
    assert_eq!(content(&format!("{a},{b}")), content(&format!("{b},{a}")));
}

#[test]
fn flags_come_sorted_with_the_newest_snapshot() {
    let body = br#"{"Flags":[{"ID":7,"Key":"a","SnapshotID":2},{"ID":3,"Key":"b","SnapshotID":9},{"ID":5,"Key":"c"}]}"#;
    let read = export("/export", body).unwrap();
    let ids: Vec<_> = read.rows.iter().map(|it| it.id().0).collect();
    assert_eq!((ids, read.shows), (vec![3, 5, 7], Shows::UpTo(9)));
    assert_eq!(export("/export", br#"{"Flags":[]}"#).unwrap().shows, Shows::UpTo(0));

    let read = list("/flags", br#"[{"id":7,"key":"a"},{"id":3,"key":"b"}]"#).unwrap();
    let ids: Vec<_> = read.rows.iter().map(|it| it.id().0).collect();
    assert_eq!((ids, read.shows), (vec![3, 7], Shows::Everything));
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
        let error = export("GET /api/v1/export/eval_cache/json", body.as_bytes()).unwrap_err();
        let told = error.to_string();
        assert!(
            told.starts_with(
                "GET /api/v1/export/eval_cache/json answered something else than expected: "
            ),
            "{told}"
        );
    }
}

#[test]
fn a_list_is_no_export_and_an_export_no_list() {
    for body in ["", "null", "{}", r#"{"Flags":[]}"#, r#"{"message":"boom"}"#, r#"["flag"]"#] {
        list("GET /flags", body.as_bytes()).unwrap_err();
    }
    assert_eq!(list("GET /flags", b"[]\n").unwrap().rows.len(), 0);
}

#[test]
fn a_hollow_list_is_one_without_segments_and_variants() {
    let check = |flags: &str, hollow| {
        let read = list("GET /flags", format!("[{flags}]").as_bytes()).unwrap();
        assert_eq!(read.is_hollow(), hollow, "{flags}");
    };
    let empty = r#"{"id":1,"key":"a","segments":[],"variants":[],"tags":[{"id":1,"value":"x"}]}"#;
    check("", false);
    check(empty, true);
    check(&format!("{empty},{}", r#"{"id":2,"key":"b","variants":[{"id":1,"key":"on"}]}"#), false);
    check(&format!("{empty},{}", r#"{"id":2,"key":"b","segments":[{"id":1}]}"#), false);
    check(&format!("{empty},{}", r#"{"id":2,"key":"b","segments":"odd"}"#), false);
}
