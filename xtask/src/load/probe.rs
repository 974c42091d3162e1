//! A request that is sent over and over, and what its answer must be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// After which a server is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What no answer that is asked for here exceeds.
const MAX_BYTES: usize = 16 << 20;

/// A request to a server of this machine.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    /// `127.0.0.1:18100`
    pub(super) authority: String,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// One header beside the usual ones.
    pub(super) header: Option<(&'static str, String)>,
    pub(super) body: String,
    /// What the answer must be.
    pub(super) expected: Expected,
}

/// What an answer must be, whoever gives it.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    /// A success that holds a text this often.
    Holds(String, usize),
    NotModified,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) tag: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Probe {
    /// The request as it is sent.
    fn bytes(&self) -> Vec<u8> {
        let Self { authority, method, path, header, body, .. } = self;
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("Host: {authority}")];
        if !body.is_empty() {
            lines.push("Content-Type: application/json".to_owned());
            lines.push(format!("Content-Length: {}", body.len()));
        }
        lines.extend(header.iter().map(|(name, value)| format!("{name}: {value}")));
        let text = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
        text.into_bytes()
    }

    /// Asks once and checks the answer.
    pub(super) fn check(&self) -> Result<Answer> {
        let mut connection = Connection::open(self)?;
        let answer = connection.ask()?;
        self.check_answer(&answer)?;
        Ok(answer)
    }

    pub(super) fn check_answer(&self, answer: &Answer) -> Result<()> {
        match &self.expected {
            Expected::NotModified => {
                ensure!(answer.status == 304, "{} gave {}", self.path, answer.status);
            }
            Expected::Holds(text, times) => {
                let body = String::from_utf8_lossy(&answer.body);
                let found = body.matches(text).count();
                ensure!(
                    answer.status == 200 && found == *times,
                    "{} gave {}, with `{text}` {found} times, not {times}: {body:.400}",
                    self.path,
                    answer.status
                );
            }
        }
        Ok(())
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub(super) struct Connection {
    request: Vec<u8>,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(probe: &Probe) -> Result<Self> {
        let stream = TcpStream::connect(&probe.authority)
            .with_context(|| format!("cannot connect to {}", probe.authority))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        // Small, because there may be ten thousand of them.
        Ok(Self { request: probe.bytes(), stream: BufReader::with_capacity(1 << 10, stream) })
    }

    /// Sends the request and reads the answer.
    pub(super) fn ask(&mut self) -> Result<Answer> {
        self.stream.get_mut().write_all(&self.request)?;
        let mut line = String::new();
        let mut next = |stream: &mut BufReader<TcpStream>| -> Result<String> {
            line.clear();
            ensure!(stream.read_line(&mut line)? != 0, "the server closed the connection");
            Ok(line.trim_end().to_owned())
        };
        let first = next(&mut self.stream)?;
        let status = first.split(' ').nth(1).and_then(|it| it.parse().ok());
        let mut answer =
            Answer { status: status.context("no status")?, tag: None, body: Vec::new() };
        let mut length = 0;
        loop {
            let line = next(&mut self.stream)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header without a colon")?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse()?,
                "transfer-encoding" => length = usize::MAX,
                "etag" => answer.tag = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        if answer.status == 304 {
            return Ok(answer);
        }
        if length == usize::MAX {
            while let Some(size) = self.chunk(&mut answer.body)? {
                ensure!(size <= MAX_BYTES, "the answer is too large");
            }
            return Ok(answer);
        }
        ensure!(length <= MAX_BYTES, "the answer is too large");
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    /// Reads one chunk, and gives how much there is by now; nothing after the last.
    fn chunk(&mut self, body: &mut Vec<u8>) -> Result<Option<usize>> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? != 0, "the server closed the connection");
        let size = usize::from_str_radix(line.trim_end(), 16).context("no size of a chunk")?;
        if MAX_BYTES < size {
            bail!("the answer is too large");
        }
        let from = body.len();
        body.resize(from + size, 0);
        if let Some(new) = body.get_mut(from..) {
            self.stream.read_exact(new)?;
        }
        self.stream.read_line(&mut line)?;
        Ok((size != 0).then_some(body.len()))
    }
}
