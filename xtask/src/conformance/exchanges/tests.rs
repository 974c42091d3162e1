//! Lines of each file: read, asked, brought up to date, and written in the form they had.

use super::coding::{escaped, repeated, runs, unbase64};
use super::{Accept, Exposures, Line, Post, Query};
use crate::conformance::record::read;
use crate::conformance::wire::{Framing, Reply};

fn reply(status: u16, content_type: &str, body: &str) -> Reply {
    let headers = [("content-type".to_owned(), content_type.to_owned())].into();
    Reply { status, headers, body: body.into() }
}

/// Each recorded line is written as it was read.
fn check_form<L: Line>(name: &str) {
    let text = read(name).unwrap();
    for line in text.lines().skip(L::BEFORE) {
        let parsed: L = serde_json::from_str(line).unwrap();
        parsed.question().unwrap();
        assert_eq!(L::STYLE.write(&parsed).unwrap(), line);
    }
}

#[test]
fn each_file_keeps_its_form() {
    check_form::<Accept>("accept.jsonl");
    check_form::<Exposures>("exposures.jsonl");
    check_form::<Query>("queries.jsonl");
    check_form::<Post>("post-errors.jsonl");
}

#[test]
fn only_another_answer_changes_a_line() {
    const LINE: &str = r#"{"body": "{}", "status": 400, "content_type": "a", "response": "no"}"#;
    let check = |reply: Reply, expected: Option<&str>| {
        let mut line: Exposures = serde_json::from_str(LINE).unwrap();
        assert_eq!(line.take(&reply).unwrap(), expected.is_some());
        assert_eq!(Exposures::STYLE.write(&line).unwrap(), expected.unwrap_or(LINE));
    };
    check(reply(400, "a", "no"), None);
    check(reply(400, "b", "no"), Some(&LINE.replace("\"a\"", "\"b\"")));
    check(reply(422, "a", "no"), Some(&LINE.replace("400", "422")));
    check(reply(400, "a", "é"), Some(&LINE.replace("no", "\\u00e9")));
}

#[test]
fn a_panic_is_cut() {
    const LINE: &str = r#"{"name": "n", "path": "/p", "content_type": null, "body": "{}", "status": 500, "response_content_type": "t", "response_cut": true, "response": "PANIC: a"}"#;
    let mut line: Post = serde_json::from_str(LINE).unwrap();
    assert!(!line.take(&reply(500, "t", "PANIC: a\nat line 7\n")).unwrap());
    assert!(line.take(&reply(200, "t", "fine\nall of it")).unwrap());
    assert!(!Post::STYLE.write(&line).unwrap().contains("cut"));
    assert!(Post::STYLE.write(&line).unwrap().contains(r#""response": "fine\nall of it""#));
}

#[test]
fn a_body_is_said_in_several_ways() {
    let check = |members: &str, framing, body: &[u8]| {
        let line = format!(
            r#"{{"name":"n","path":"/p","content_type":null,{members},"status":200,"response_content_type":"","response":""}}"#
        );
        let line: Post = serde_json::from_str(&line).unwrap();
        let question = line.question().unwrap();
        assert_eq!((question.framing, &*question.body), (framing, body));
    };
    check(r#""body":"{}""#, Framing::Length, b"{}");
    check(r#""body":null,"framing":"none""#, Framing::None, b"");
    check(r#""body":"{}","framing":"chunked""#, Framing::Chunked, b"{}");
    check(r#""body_base64":"/wA=""#, Framing::Length, b"\xff\0");
    check(r#""body_runs":[["a",1],["bc",2]]"#, Framing::Length, b"abcbc");
}

#[test]
fn what_is_long_is_told_in_pieces() {
    let check = |pieces: &[&str], told: &[(&str, usize)]| {
        let told: Vec<_> = told.iter().map(|(it, times)| ((*it).to_owned(), *times)).collect();
        assert_eq!(runs(&repeated(&told), pieces), told);
    };
    check(&["[", "]"], &[("{\"x\":", 1), ("[", 1000), ("1", 1), ("]", 999), (",\"é\"", 1)]);
    check(&["{\"a\":", "}"], &[("{\"x\":", 1), ("{\"a\":", 1000), ("1", 1), ("}", 1000)]);
    check(&["}"], &[("}", 100)]);
    check(&["}"], &[("}".repeat(99).as_str(), 1)]);
    check(&[], &[("}".repeat(1000).as_str(), 1)]);
}

#[test]
fn texts_are_decoded_and_escaped() {
    assert_eq!(unbase64("AAEC/w==").unwrap(), [0, 1, 2, 255]);
    assert!(unbase64("A*").is_err());
    assert_eq!(escaped("{\"a b\":é+1}"), "%7B%22a%20b%22%3A%C3%A9%2B1%7D");
}
