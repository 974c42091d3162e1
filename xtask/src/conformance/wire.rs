//! One request a connection, sent as it is told: no header of its own but `host` and `connection`, whatever is wrong with it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long a Flagr may be silent.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What an answer may hold.
const MAX_BYTES: u64 = 64 << 20;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Question<'a> {
    pub(super) method: &'a str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
}

/// How the end of a body is told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length,
    Chunked,
    /// Nothing is told, so there is no body.
    #[default]
    None,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Names in lower case; of several of one name the last.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(super) fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).context("the answer is no text")
    }
}

/// Sends it to the server at this address, `http://host:port/prefix`.
pub(super) fn ask(base: &str, question: &Question<'_>) -> Result<Reply> {
    let what = || format!("{} {base}{}", question.method, question.path);
    exchange(base, question).with_context(|| format!("{} failed", what()))
}

fn exchange(base: &str, question: &Question<'_>) -> Result<Reply> {
    let rest = base.strip_prefix("http://").context("no http:// address")?;
    let (authority, prefix) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let with_port = |it: &str| if it.contains(':') { it.to_owned() } else { format!("{it}:80") };
    let mut stream = TcpStream::connect(with_port(authority))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // A server may answer before it has read a long body, and then stop to read: its answer counts.
    let sent = stream.write_all(&bytes(authority, prefix, question));
    let mut answer = Vec::new();
    let read = stream.take(MAX_BYTES).read_to_end(&mut answer);
    if answer.is_empty() {
        sent?;
        read?;
    }
    parse(&answer, question.method)
}

fn bytes(authority: &str, prefix: &str, question: &Question<'_>) -> Vec<u8> {
    let Question { method, path, headers, body, framing } = question;
    let mut head = format!("{method} {prefix}{path} HTTP/1.1\r\nhost: {authority}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len();
    let (told, before, after) = match framing {
        Framing::Length => (format!("content-length: {length}\r\n"), String::new(), ""),
        Framing::Chunked if length == 0 => {
            ("transfer-encoding: chunked\r\n".to_owned(), "0\r\n\r\n".to_owned(), "")
        }
        Framing::Chunked => (
            "transfer-encoding: chunked\r\n".to_owned(),
            format!("{length:x}\r\n"),
            "\r\n0\r\n\r\n",
        ),
        Framing::None => (String::new(), String::new(), ""),
    };
    head.extend([&told, "connection: close\r\n\r\n", &before]);
    [head.as_bytes(), body, after.as_bytes()].concat()
}

fn parse(answer: &[u8], method: &str) -> Result<Reply> {
    let end = find(answer, b"\r\n\r\n").context("the answer has no end of its head")?;
    let (head, body) = answer.split_at(end);
    let head = std::str::from_utf8(head).context("the head of the answer is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|it| it.split(' ').nth(1));
    let status: u16 = status.and_then(|it| it.parse().ok()).context("the answer has no status")?;
    let header = |it: &str| {
        let (name, value) = it.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let body = body.get(4..).unwrap_or_default();
    let chunked = headers.get("transfer-encoding").is_some_and(|it| it == "chunked");
    let body = if chunked { unchunked(body)? } else { body.to_vec() };
    let has_no_body = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
    match headers.get("content-length").and_then(|it| it.parse::<usize>().ok()) {
        Some(length) if body.len() < length && !has_no_body => bail!("the answer is cut off"),
        _ => Ok(Reply { status, headers, body }),
    }
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>> {
    const CUT: &str = "the answer is cut off";
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n").context(CUT)?;
        let (size, after) = rest.split_at(end);
        let size = std::str::from_utf8(size).ok().and_then(|it| usize::from_str_radix(it, 16).ok());
        let size = size.context("a chunk has no size")?;
        let data = after.get(2..).context(CUT)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(data.get(..size).context(CUT)?);
        rest = data.get(size + 2..).context(CUT)?;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|it| it == what)
}

#[cfg(test)]
mod tests;
