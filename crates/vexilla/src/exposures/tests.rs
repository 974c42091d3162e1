//! Text in quotes; the rows are held against recordings in `tests/it/exposures.rs`.

use crate::go_quote::quoted;

#[test]
fn text_is_quoted_as_go_does_it() {
    for (text, expected) in [
        ("zz", r#""zz""#),
        ("a\"b\\", r#""a\"b\\""#),
        ("\u{7}\u{8}\u{b}\u{c}\n\r\t", r#""\a\b\v\f\n\r\t""#),
        ("\0\u{7f}", r#""\x00\x7f""#),
        ("é😀\u{301}", "\"é😀\u{301}\""),
        ("\u{a0}\u{200b}\u{2028}\u{e0001}", r#""\u00a0\u200b\u2028\U000e0001""#),
    ] {
        assert_eq!(quoted(text), expected);
    }
}
