//! Answers that count as the same, and what is kept of others.

use serde_json::value::RawValue;

use super::Exchange;

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
fn another_answer_is_kept_as_it_was_written() {
    let mut exchange = exchange(r#"{"flagID": 1}"#);
    assert!(exchange.answered(200, r#"{"flagID":1,"n":1.50,"timestamp":"now"}"#).unwrap());
    assert_eq!(exchange.response.get(), r#"{"flagID":1,"n":1.50}"#);
    assert!(exchange.answered(400, r#"{"message":"bad"}"#).unwrap());
    assert_eq!((exchange.status, exchange.response.get()), (400, r#"{"message":"bad"}"#));
    assert!(exchange.answered(500, "PANIC: no JSON").is_err());
}
