//! Each form, by example.

use std::collections::BTreeMap;

use super::{Style, spaced};

#[test]
fn each_form() {
    let value = BTreeMap::from([("a", vec!["é😀\u{1}\n", "\u{7f}"]), ("b", vec![])]);
    let check = |style: Style, expected: &str| assert_eq!(style.write(&value).unwrap(), expected);
    check(Style::Compact, "{\"a\":[\"é😀\\u0001\\n\",\"\u{7f}\"],\"b\":[]}");
    check(Style::Spaced, "{\"a\": [\"é😀\\u0001\\n\", \"\u{7f}\"], \"b\": []}");
    check(Style::SpacedAscii, r#"{"a": ["\u00e9\ud83d\ude00\u0001\n", "\u007f"], "b": []}"#);
    check(Style::Indented, "{\n \"a\": [\n  \"é😀\\u0001\\n\",\n  \"\u{7f}\"\n ],\n \"b\": []\n}");
}

#[test]
fn blanks_are_put_between_and_not_into_texts() {
    let json = r#"{"a,:\"b:":[1.50,"\\",{}],"c":"\\\",:"}"#;
    assert_eq!(spaced(json), r#"{"a,:\"b:": [1.50, "\\", {}], "c": "\\\",:"}"#);
}
