//! Answers that are the same, and answers that are not.

use serde_json::{Value, json};

use super::comparable;

#[test]
fn time_and_log_do_not_count() {
    let answer = |time: &str, log: Value| {
        let log = json!({ "msg": "m", "segmentDebugLogs": log });
        comparable(json!({ "flagID": 1, "timestamp": time, "evalDebugLog": log }), true)
    };
    assert_eq!(answer("a", json!([])), answer("b", json!(null)));
    assert_eq!(answer("a", json!([])), json!({ "flagID": 1, "evalDebugLog": { "msg": "m" } }));
}

#[test]
fn results_of_a_batch_are_ordered() {
    let batch = |ids: [u8; 2]| {
        let results = ids.map(|it| json!({ "flagID": it, "timestamp": "t" }));
        comparable(json!({ "evaluationResults": results }), true)
    };
    assert_eq!(batch([1, 2]), batch([2, 1]));
    assert_ne!(batch([1, 2]), batch([2, 2]));
}

#[test]
fn of_an_old_form_the_decision_counts() {
    let old = json!({ "flagID": 1, "variantKey": null, "segmentID": 7, "variantID": 0 });
    assert_eq!(comparable(old, false), json!({ "flagID": 1, "variantID": 0 }));

    let none = json!({ "evaluationResults": null });
    assert_eq!(comparable(none.clone(), false), json!({ "evaluationResults": [] }));
    assert_ne!(comparable(none, true), json!({ "evaluationResults": [] }));
}
