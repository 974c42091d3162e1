//! Lines, the flags they tell of, and answers.

use serde_json::{Value, json};

use super::{Line, lines};
use crate::conformance::record::read;
use crate::conformance::style::Style;

const LINE: &str = r#"{"flagID": 4001, "rolloutPercent": 60, "distributions": [["v10", 20], ["v2", 80]], "entities": [["u", null], ["é", "v2"]]}"#;

fn line() -> Line {
    serde_json::from_str(LINE).unwrap()
}

#[test]
fn the_file_keeps_its_form() {
    let text = read(super::NAME).unwrap();
    for (before, line) in text.lines().zip(lines(&text)) {
        assert_eq!(Style::Spaced.write(&line.unwrap()).unwrap(), before);
    }
}

#[test]
fn shares_are_in_the_order_of_their_variants_ids() {
    let flag = line().flag().unwrap();
    let segment = &flag["Segments"][0];
    assert_eq!((&flag["ID"], &segment["RolloutPercent"]), (&json!(4001), &json!(60)));
    let shares: Vec<_> = segment["Distributions"].as_array().unwrap().iter().collect();
    let told = |it: &Value| (it["VariantKey"].clone(), it["Percent"].clone());
    assert_eq!(told(shares[0]), (json!("v2"), json!(80)));
    assert_eq!(told(shares[1]), (json!("v10"), json!(20)));
}

#[test]
fn variants_are_taken_over() {
    let result = |entity: &str, variant: Option<&str>| json!({ "evalContext": { "entityID": entity }, "variantKey": variant });
    let answer = |results: &[Value]| json!({ "evaluationResults": results });
    let mut line = line();
    assert!(!line.take(&answer(&[result("u", None), result("é", Some("v2"))])).unwrap());
    assert!(line.take(&answer(&[result("u", Some("v10")), result("é", Some("v2"))])).unwrap());
    assert_eq!(Style::Spaced.write(&line).unwrap(), LINE.replace("null", "\"v10\""));
    assert!(line.take(&answer(&[result("é", None), result("u", None)])).is_err());
    assert!(line.take(&answer(&[])).is_err());
}
