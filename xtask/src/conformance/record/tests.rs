//! Answers that count as the same, what is kept of others, and how a file is replaced.

use std::fs;

use serde_json::value::RawValue;

use super::{Exchange, replace};

fn exchange(response: &str) -> Exchange {
    let raw = |it: &str| RawValue::from_string(it.to_owned()).unwrap();
    Exchange { request: raw("{}"), status: 200, response: raw(response) }
}

#[test]
fn an_answer_that_says_the_same_changes_nothing() {
    let check = |recorded: &str, body: &str| {
        let mut exchange = exchange(recorded);
        assert!(!exchange.answered(200, body).unwrap(), "{body}");
        assert_eq!(exchange.response.get(), recorded);
    };
    check(r#"{"flagID": 1}"#, r#"{"flagID":1,"timestamp":"2026-11-25T16:40:56Z"}"#);
    check(
        r#"{"evaluationResults": [{"flagID": 1}]}"#,
        r#"{"evaluationResults":[{"flagID":1,"timestamp":"now"}]}"#,
    );
}

#[test]
fn another_answer_keeps_its_numbers() {
    let mut exchange = exchange(r#"{"flagID": 1}"#);
    assert!(exchange.answered(200, r#"{"flagID":1,"n":1.50,"timestamp":"now"}"#).unwrap());
    assert_eq!(exchange.response.get(), r#"{"flagID": 1, "n": 1.50}"#);
    assert!(exchange.answered(400, r#"{"message": "bad"}"#).unwrap());
    assert_eq!((exchange.status, exchange.response.get()), (400, r#"{"message": "bad"}"#));
    assert!(exchange.answered(500, "PANIC: no JSON").is_err());
}

#[test]
fn a_file_is_replaced_or_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    // A recording that was never there is none that is recorded again.
    assert!(replace(&path, "new").is_err());
    fs::write(&path, "old").unwrap();
    replace(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
