//! What goes over the wire, and what is read of it.

use super::{Framing, Question, bytes, parse};

#[test]
fn a_request_is_sent_as_it_is_told() {
    let check = |framing, body: &str, expected: &str| {
        let question = Question {
            method: "POST",
            path: "/x".to_owned(),
            headers: vec![("accept", ""), ("accept", "a/b")],
            body: body.into(),
            framing,
        };
        let head = "POST /p/x HTTP/1.1\r\nhost: h:1\r\naccept: \r\naccept: a/b\r\n";
        let sent = String::from_utf8(bytes("h:1", "/p", &question)).unwrap();
        assert_eq!(sent, format!("{head}{expected}"));
    };
    check(Framing::None, "", "connection: close\r\n\r\n");
    check(Framing::Length, "{}", "content-length: 2\r\nconnection: close\r\n\r\n{}");
    let chunked = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    check(Framing::Chunked, "{}", &format!("{chunked}2\r\n{{}}\r\n0\r\n\r\n"));
    check(Framing::Chunked, "", &format!("{chunked}0\r\n\r\n"));
}

#[test]
fn an_answer_is_read_in_either_framing() {
    let check = |answer: &str, body: &str| {
        let reply = parse(answer.as_bytes(), "HEAD").unwrap();
        assert_eq!((reply.status, reply.header("vary"), reply.text().unwrap()), (200, "A", body));
    };
    check("HTTP/1.1 200 OK\r\nVary: A\r\nContent-Length: 2\r\n\r\n{}", "{}");
    check(
        "HTTP/1.1 200 OK\r\nVary: A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nb\r\n0123456789\n\r\n0\r\n\r\n",
        "{}0123456789\n",
    );
}

#[test]
fn half_an_answer_is_none() {
    for answer in [
        "HTTP/1.1 200 OK\r\nVary: A\r\n",
        "HTTP/1.1 ?\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ] {
        assert!(parse(answer.as_bytes(), "GET").is_err(), "{answer}");
    }
}
