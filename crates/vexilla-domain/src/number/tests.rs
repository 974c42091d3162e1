//! Number texts and values.

use super::Number;

#[track_caller]
fn check(text: &str, value: Option<f64>) {
    let number = Number::from_json_text(text).unwrap();
    assert_eq!(number.as_f64(), value, "{text}");
    assert_eq!(number.to_string(), text, "the text is kept");
}

#[test]
fn texts_are_kept_and_worth_what_they_say() {
    check("0", Some(0.0));
    check("-0", Some(-0.0));
    check("18", Some(18.0));
    check("18.0", Some(18.0));
    check("1.50", Some(1.5));
    check("1e2", Some(100.0));
    check("1E+2", Some(100.0));
    check("-7", Some(-7.0));
    check("12345678901234567890", Some(12_345_678_901_234_567_890.0));
    check("9223372036854775807", Some(9_223_372_036_854_775_807.0));
    check("1e400", None);
    check("-1e400", None);
    check("1e-400", Some(0.0));
}

#[test]
fn what_json_does_not_call_a_number_is_none() {
    for text in [
        "", "-", "+1", "01", "-01", ".5", "5.", "1e", "1e+", "0x1", "NaN", "1 ", " 1", "1_0",
        "1.e1", "٣",
    ] {
        assert_eq!(Number::from_json_text(text), None, "{text:?}");
    }
    assert_eq!(Number::from_f64(f64::NAN), None);
    assert_eq!(Number::from_f64(f64::INFINITY), None);
}

#[test]
fn floats_are_written_as_go_writes_them() {
    let cases = [
        (1.0, "1"),
        (1.5, "1.5"),
        (-0.0, "-0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e21, "1.5e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (12_345_678_901_234_567_000.0, "12345678901234567000"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ];
    for (value, text) in cases {
        assert_eq!(Number::from_f64(value).unwrap().to_string(), text);
    }
}

#[test]
fn integers_come_from_whole_numbers_that_fit() {
    let cases = [
        ("18", Some(18)),
        ("18.0", Some(18)),
        ("1e3", Some(1000)),
        ("18.5", None),
        ("1e30", None),
        ("1e400", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
    ];
    for (text, value) in cases {
        assert_eq!(Number::from_json_text(text).unwrap().as_i64(), value, "{text}");
    }
}

#[test]
fn a_decoded_number_has_lost_its_text() {
    for (text, written) in
        [("1", "1"), ("1.50", "1.5"), ("-0", "-0"), ("1e3", "1000"), ("1E21", "1e+21")]
    {
        let number = Number::from_json_text(text).unwrap();
        assert_eq!(number.as_decoded(), None);
        let decoded = number.decoded().unwrap();
        assert_eq!(decoded.to_string(), written);
        assert_eq!(decoded.as_f64(), number.as_f64());
        assert_eq!(decoded.as_i64(), number.as_i64());
        assert_eq!(decoded.as_decoded(), number.as_f64());
    }
    assert_eq!(Number::from_json_text("1e400").unwrap().decoded(), None);
}
