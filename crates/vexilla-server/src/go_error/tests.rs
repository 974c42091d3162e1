//! Go's words, the quick way; the recordings hold thousands more.

use super::scan::SyntaxError;
use super::{Kind, MAX_DEPTH, Struct, first_value, mismatch, only_value};

fn syntax(text: &str) -> String {
    match first_value(text.as_bytes()) {
        Ok(value) => format!("value of {} bytes", value.len()),
        Err(SyntaxError::Empty) => "empty".to_owned(),
        Err(SyntaxError::Unfinished) => "unfinished".to_owned(),
        Err(SyntaxError::Unexpected { byte, place }) => format!("{:?} {place}", char::from(byte)),
    }
}

#[test]
fn the_first_value_ends_where_go_ends_it() {
    for (text, expected) in [
        ("", "empty"),
        (" \n", "empty"),
        ("{", "unfinished"),
        ("-", "unfinished"),
        ("{} x", "value of 2 bytes"),
        (" 5x", "value of 2 bytes"),
        ("nullx", "value of 4 bytes"),
        (r#"{"a":[{},[],-0.5e+1,true]}]"#, "value of 26 bytes"),
        ("{]", "']' looking for beginning of object key string"),
        ("[1,]", "']' looking for beginning of value"),
        (r#"{"a":1,}"#, "'}' looking for beginning of object key string"),
        (r#"{"a";1}"#, "';' after object key"),
        (r#"{"a":1]"#, "']' after object key:value pair"),
        ("[1}", "'}' after array element"),
        ("[01]", "'1' after array element"),
    ] {
        assert_eq!(syntax(text), expected, "{text}");
    }
}

#[test]
fn a_text_that_must_be_one_value_ends_with_it() {
    let check = |text: &str| only_value(text.as_bytes()).err();
    assert_eq!(check(" {} \n"), None);
    assert_eq!(check("5"), None);
    assert_eq!(check(" "), Some(SyntaxError::Empty));
    assert_eq!(check("[1"), Some(SyntaxError::Unfinished));
    let place = "after top-level value".to_owned();
    assert_eq!(check("{} x"), Some(SyntaxError::Unexpected { byte: b'x', place }));
}

#[test]
fn a_text_that_must_be_one_value_is_ended_by_a_space() {
    for (text, place) in [
        ("tru", "in literal true (expecting 'e')"),
        ("[n", "in literal null (expecting 'u')"),
        (r#""\"#, "in string escape code"),
        (r#""\u12"#, "in \\u hexadecimal character escape"),
        ("-", "in numeric literal"),
        (r#"{"a":1."#, "after decimal point in numeric literal"),
        ("1e", "in exponent of numeric literal"),
        ("1e+", "in exponent of numeric literal"),
    ] {
        let place = place.to_owned();
        let expected = Err(SyntaxError::Unexpected { byte: b' ', place });
        assert_eq!(only_value(text.as_bytes()), expected, "{text}");
    }
    for text in ["{", "[", "[1,", r#"{"a"#, r#"{"a""#, r#"{"a":"#, r#"{"a":1"#, r#""a"#] {
        assert_eq!(only_value(text.as_bytes()), Err(SyntaxError::Unfinished), "{text}");
    }
}

#[test]
fn depth_is_limited_as_in_go() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(syntax(&nested(MAX_DEPTH)), format!("value of {} bytes", 2 * MAX_DEPTH));
    assert_eq!(syntax(&nested(MAX_DEPTH + 1)), "'[' exceeded max depth");
}

#[test]
fn the_first_wrong_type_is_named_with_its_path() {
    const INNER: Struct = Struct { name: "Inner", fields: &["n"], kinds: &[Kind::Int64] };
    const OUTER: Struct = Struct {
        name: "Outer",
        fields: &["items", "any", "text"],
        kinds: &[
            Kind::List { item: &Kind::Struct(&INNER), name: "[]*models.Inner" },
            Kind::Any,
            Kind::Text,
        ],
    };
    for (text, expected) in [
        (r#"{"any":[1],"text":null,"items":[null,{"n":-0}]}"#, None),
        ("3", Some("number into Go value of type models.Outer")),
        (r#"{"TEXT":5,"items":7}"#, Some("number into Go struct field Outer.text of type string")),
        (r#"{"items":7}"#, Some("number into Go struct field Outer.items of type []*models.Inner")),
        (r#"{"items":[[]]}"#, Some("array into Go struct field Outer.items of type models.Inner")),
        (
            r#"{"items":[{"n":1.0}]}"#,
            Some("number 1.0 into Go struct field Inner.items.n of type int64"),
        ),
        (
            r#"{"items":[{}],"text":false}"#,
            Some("bool into Go struct field Outer.text of type string"),
        ),
    ] {
        static SHAPE: Struct = OUTER;
        let found = mismatch::find(text, &SHAPE);
        assert_eq!(found, expected.map(|it| format!("json: cannot unmarshal {it}")), "{text}");
    }
}
