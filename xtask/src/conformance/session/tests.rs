//! The file's form, and answers that count as the same.

use std::collections::BTreeMap;

use super::{NAME, Request, Response, Session};
use crate::conformance::record::read;
use crate::conformance::style::Style;
use crate::conformance::wire::Reply;

#[test]
fn the_file_keeps_its_form() {
    let text = read(NAME).unwrap();
    let session: Session = serde_json::from_str(&text).unwrap();
    assert_eq!(Style::Indented.write(&session).unwrap(), text);
}

#[test]
fn only_another_answer_changes_an_exchange() {
    let headers = |told: &[(&str, &str)]| -> BTreeMap<String, String> {
        told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let check = |before: (&[(&str, &str)], &str), now: (&[(&str, &str)], &str), changed: bool| {
        let mut response =
            Response { status: 200, headers: headers(before.0), body: before.1.to_owned() };
        let old = response.clone();
        let reply = Reply { status: 200, headers: headers(now.0), body: now.1.into() };
        assert_eq!(response.take(&reply, None).unwrap(), changed, "{now:?}");
        assert_eq!(response == old, !changed, "{now:?}");
    };
    let date = ("date", "now");
    check((&[("allow", "GET,POST")], "a"), (&[("allow", "POST,GET"), date], "a"), false);
    check((&[("allow", "GET,POST")], "a"), (&[("allow", "POST")], "a"), true);
    check((&[], "{\"updatedAt\":\"1\"}"), (&[date], "{\"updatedAt\":\"2\"}"), false);
    check((&[], "a"), (&[], "b"), true);
    check((&[], "a"), (&[("vary", "b")], "a"), true);
    let packed: &[(&str, &str)] = &[("content-encoding", "gzip")];
    check((packed, "<329 bytes of gzip>"), (packed, "12345"), false);
    check((&[], "a"), (packed, "12345"), true);
}

#[test]
fn evaluations_wait_for_what_was_written() {
    let request = |method: &str, path: &str| Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: BTreeMap::new(),
        body: None,
    };
    assert!(request("PUT", "/api/v1/flags/1").writes());
    assert!(!request("GET", "/api/v1/flags/1").writes());
    assert!(!request("POST", "/api/v1/evaluation").writes());
    assert!(request("POST", "/api/v1/evaluation/batch").asks_the_cache());
    assert!(!request("GET", "/api/v1/flags/1").asks_the_cache());
}
