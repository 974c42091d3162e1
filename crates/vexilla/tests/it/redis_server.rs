//! A real Redis for a test.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A `redis-server` on a free port of the loopback that keeps everything in memory. It ends with the test.
pub(crate) struct RedisServer {
    pub(crate) port: u16,
    child: Child,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        // Another process may take the port before Redis does.
        let started = (0..20).find_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            Some(Self { port, child: run(port)? })
        });
        started.unwrap()
    }

    /// Does one command, as Redis' own line protocol has it.
    pub(crate) fn command(&self, words: &[&str]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        writeln!(stream, "{}\r", words.join(" ")).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(!answer.starts_with('-'), "{answer}");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again what was killed, with nothing in it.
    pub(crate) fn restart(&mut self) {
        // Another connection may have the port for a moment.
        self.child = (0..100).find_map(|_| run(self.port)).unwrap();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `None` if it ends before it listens.
fn run(port: u16) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let needed = |error: std::io::Error| {
        format!("these tests need the Debian package `redis-server`: {error}")
    };
    let mut child = child.map_err(needed).unwrap();
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if line.contains("Ready to accept connections") {
            // It must not be stopped by a full pipe, nor by a closed one.
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return Some(child);
        }
        line.clear();
    }
    child.wait().unwrap();
    None
}
