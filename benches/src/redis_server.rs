//! A real Redis of its own for a benchmark.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A `redis-server` on a free port of the loopback, which keeps nothing on the disk. It ends with this.
#[derive(Debug)]
pub struct RedisServer {
    /// Where it listens.
    pub port: u16,
    child: Child,
}

impl RedisServer {
    /// Starts one; `None` where there is no such program.
    pub fn start() -> Option<Self> {
        // Another process may take the port before Redis does.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = Command::new("redis-server");
            let arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
            command.args(["--port", &port.to_string()]).args(arguments);
            let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
            let mut child = match spawned {
                Err(error) if error.kind() == ErrorKind::NotFound => return None,
                other => other.unwrap(),
            };
            if listens(&mut child) {
                return Some(Self { port, child });
            }
            child.wait().unwrap();
        }
        panic!("redis-server starts on none of 20 free ports");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it listens. It has ended otherwise.
fn listens(child: &mut Child) -> bool {
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if line.contains("Ready to accept connections") {
            // It must not be stopped by a full pipe, nor by a closed one.
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return true;
        }
        line.clear();
    }
    false
}
