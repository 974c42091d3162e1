//! Logs of a segment, and what they say.

use serde_json::json;

use super::{Outcome, outcome};

#[test]
fn what_a_log_says() {
    let check = |message: &str, expected: &'static str, error: Option<&str>| {
        let log = json!({ "evalDebugLog": { "segmentDebugLogs": [{ "msg": message }] } });
        let expected = Outcome { outcome: expected, error: error.map(str::to_owned) };
        assert_eq!(outcome(&log).unwrap(), expected);
    };
    check("constraint not match. constraint: …", "no match", None);
    check("constraints are present …, but got invalid entity_context: [].", "no context", None);
    check("literal is not a slice", "error", Some("literal is not a slice"));
    let matched = json!({ "variantKey": "on" });
    assert_eq!(outcome(&matched).unwrap(), Outcome { outcome: "match", error: None });
    assert!(outcome(&json!({})).is_err());
}
