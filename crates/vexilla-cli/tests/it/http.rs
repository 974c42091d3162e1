//! The smallest HTTP client that a test can do with.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

/// An answer: its status, its head, its body.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One request on a connection of its own.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> Answered {
    request_with(address, method, path, &[], body)
}

/// The same with further headers.
pub(crate) fn request_with(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answered {
    let mut connection = TcpStream::connect(address).unwrap();
    send(&mut connection, address, method, path, headers, body);
    receive(connection)
}

fn send(
    connection: &mut TcpStream,
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) {
    let length = body.len();
    let mut more = String::new();
    for (name, value) in headers {
        let _ = write!(more, "{name}: {value}\r\n"); // writing to memory does not fail
    }
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body.as_bytes()).unwrap();
}

pub(crate) fn receive(mut connection: TcpStream) -> Answered {
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    Answered { status, head: head.to_owned(), body: body.to_owned() }
}

/// Asks for an evaluation.
pub(crate) fn evaluate(address: &str, body: &str) -> Answered {
    request(address, "POST", "/api/v1/evaluation", body)
}

/// An answer as JSON, without the one member that differs each time.
pub(crate) fn without_timestamp(body: &str) -> serde_json::Value {
    let mut answer: serde_json::Value = serde_json::from_str(body).unwrap();
    let time = answer.as_object_mut().unwrap().remove("timestamp");
    assert!(time.is_some_and(|it| it.as_str().is_some_and(|it| it.len() == 20)), "{body}");
    answer
}
