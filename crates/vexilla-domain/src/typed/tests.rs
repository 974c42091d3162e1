//! The value rule, row by row.

use std::sync::Arc;

use crate::json::{Numbers, read_value};
use crate::{ErrorCode, EvaluationRef, Reason, Value, VariantHead};

fn variant(key: &str, attachment: &str) -> VariantHead {
    let raw = serde_json::from_str(attachment).unwrap();
    let attachment = match read_value(raw, Numbers::Float64).unwrap() {
        Value::Object(object) => Some(Arc::new(object)),
        _ => None,
    };
    VariantHead { key: key.into(), attachment, ..VariantHead::default() }
}

fn evaluation(variant: &VariantHead) -> EvaluationRef<'_> {
    EvaluationRef { variant: Some(variant), ..EvaluationRef::blank(None, Reason::Static) }
}

type Row =
    (&'static str, &'static str, Option<bool>, Option<i64>, Option<f64>, Option<&'static str>);

#[test]
fn the_value_rule() {
    let rows: &[Row] = &[
        ("on", "null", Some(true), None, None, Some("on")),
        ("OFF", "{}", Some(false), None, None, Some("OFF")),
        ("Enabled", "{}", Some(true), None, None, Some("Enabled")),
        ("disabled", "{}", Some(false), None, None, Some("disabled")),
        ("yes", "{}", Some(true), None, None, Some("yes")),
        ("no", "{}", Some(false), None, None, Some("no")),
        ("1", "{}", Some(true), Some(1), Some(1.0), Some("1")),
        ("0", "{}", Some(false), Some(0), Some(0.0), Some("0")),
        ("-2.5", "{}", None, None, Some(-2.5), Some("-2.5")),
        ("blue", "{}", None, None, None, Some("blue")),
        ("inf", "{}", None, None, None, Some("inf")),
        ("on", r#"{"enabled":false}"#, Some(false), None, None, Some("on")),
        ("on", r#"{"enabled":"false"}"#, Some(true), None, None, Some("on")),
        ("on", r#"{"value":null,"enabled":false}"#, Some(false), None, None, Some("on")),
        ("on", r#"{"value":false,"enabled":true}"#, Some(false), None, None, Some("false")),
        ("on", r#"{"value":"YES"}"#, Some(true), None, None, Some("YES")),
        ("on", r#"{"value":1}"#, Some(true), Some(1), Some(1.0), Some("1")),
        ("on", r#"{"value":2}"#, None, Some(2), Some(2.0), Some("2")),
        ("on", r#"{"value":2.5}"#, None, None, Some(2.5), Some("2.5")),
        ("on", r#"{"value":3.0}"#, None, Some(3), Some(3.0), Some("3")),
        ("on", r#"{"value":"42"}"#, None, Some(42), Some(42.0), Some("42")),
        ("on", r#"{"value":[1]}"#, None, None, None, None),
        ("on", r#"{"value":{"a":1}}"#, None, None, None, None),
    ];
    for (key, attachment, bool, int, float, string) in rows {
        let variant = variant(key, attachment);
        let it = evaluation(&variant);
        let got = (it.bool(), it.int(), it.float(), it.string());
        assert_eq!(got, (*bool, *int, *float, string.map(str::to_owned)), "{key} {attachment}");
        assert!(it.json().is_some());
    }
}

#[test]
fn a_default_says_why_it_was_needed() {
    let blue = variant("blue", "{}");
    let cases = [
        (evaluation(&blue), Some(ErrorCode::TypeMismatch)),
        (EvaluationRef::blank(None, Reason::NotFound), Some(ErrorCode::FlagNotFound)),
        (EvaluationRef::blank(None, Reason::Error), Some(ErrorCode::FlagInError)),
        (EvaluationRef::blank(None, Reason::Holdout), None),
        (EvaluationRef::blank(None, Reason::Disabled), None),
    ];
    for (it, error) in cases {
        let detail = it.detail(it.bool(), true);
        assert_eq!((detail.value, detail.error, detail.reason), (true, error, it.reason));
    }
}
