//! What snapshots and lists tell.

use super::*;

#[test]
fn the_newest_snapshot() {
    let read = |body: &str| newest("GET /x", body.as_bytes());
    let row = |id: u64, key: &str| format!(r#"{{"id":{id},"flag":{{"id":3,"key":"{key}"}}}}"#);
    let flag = read(&format!("[{},{}]", row(9, "new"), row(4, "old"))).unwrap().unwrap();
    assert_eq!((&*flag.key, flag.id.0, flag.snapshot_id.0), ("new", 3, 9));
    let by = |row: &str| {
        let inside = r#"{"id":3,"key":"k","updatedBy":"ann"}"#;
        read(&format!(r#"[{{"id":9,"flag":{inside}{row}}}]"#)).unwrap().unwrap().updated_by
    };
    assert_eq!((&*by(r#","updatedBy":"bob""#), &*by("")), ("bob", ""), "ann made the one before");
    assert_eq!(read("[]\n").unwrap(), None);
    assert_eq!(read(r#"[{"id":9,"flag":{"id":3,"key":"bad","segments":"x"}}]"#).unwrap(), None);
    for odd in ["{}", "null", "[1]", r#"[{"id":"9","flag":{}}]"#, r#"[{"id":9}]"#, "[{"] {
        let told = read(odd).unwrap_err().to_string();
        assert!(told.starts_with("GET /x answered something else than expected: "), "{told}");
    }
}

#[test]
fn keys_of_a_list() {
    let found = keys("GET /x", br#"[{"id":3,"key":"a","tags":[]},{"id":4}]"#).unwrap();
    assert_eq!(found, [(FlagId(3), "a".to_owned()), (FlagId(4), String::new())]);
    assert_eq!(keys("GET /x", b"[]").unwrap(), []);
    keys("GET /x", b"{}").unwrap_err();
}
