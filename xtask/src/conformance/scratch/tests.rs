//! Against a server that answers as told, and notes what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use super::Scratch;
use crate::http::Http;

/// Gives these answers, one a connection; afterwards the first line of each request.
fn flagr(answers: Vec<(u16, &'static str)>) -> (Http, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = Http::new(format!("http://{}", listener.local_addr().unwrap()));
    let asked = thread::spawn(move || {
        let answer = |(status, body): (u16, &str)| {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let (mut first, mut length) = (String::new(), 0);
            stream.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let line = line.trim().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(it) = line.strip_prefix("content-length:") {
                    length = it.trim().parse().unwrap();
                }
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}", body.len());
            write!(stream.get_mut(), "{head}\r\nconnection: close\r\n\r\n{body}").unwrap();
            first.trim_end_matches(" HTTP/1.1\r\n").to_owned()
        };
        answers.into_iter().map(answer).collect()
    });
    (http, asked)
}

#[test]
fn a_flagr_with_flags_is_left_alone() {
    let (http, asked) = flagr(vec![(200, r#"[{"id":1}]"#)]);
    let error = Scratch::of(&http).unwrap_err().to_string();
    assert!(error.contains("empty database"), "{error}");
    assert_eq!(asked.join().unwrap(), ["GET /api/v1/flags?limit=1"]);
}

#[test]
fn what_was_made_is_removed_though_one_stays() {
    let (http, asked) = flagr(vec![
        (200, "[]"),
        (200, r#"{"id":7}"#),
        (200, r#"{"id":8}"#),
        (500, "no"),
        (200, "{}"),
    ]);
    let scratch = Scratch::of(&http).unwrap();
    assert_eq!((scratch.flag().unwrap(), scratch.flag().unwrap()), (7, 8));
    let error = format!("{:#}", scratch.remove().unwrap_err());
    assert!(error.starts_with("1 of 2 flags that were made are left: DELETE "), "{error}");
    assert_eq!(asked.join().unwrap()[3..], ["DELETE /api/v1/flags/7", "DELETE /api/v1/flags/8"]);
}
