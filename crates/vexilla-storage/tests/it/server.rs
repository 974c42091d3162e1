//! A real Redis of its own for each test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A `redis-server` on a free port of the loopback, in a folder of its own. It ends with the test.
pub(crate) struct RedisServer {
    pub(crate) port: u16,
    options: Vec<String>,
    folder: TempDir,
    child: Child,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more options. `{port}` in them stands for the port.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|&it| it.to_owned()).collect();
        let folder = TempDir::new().unwrap();
        // Another process may take the port before Redis does.
        for _ in 0..20 {
            let port = free_port();
            if let Some(child) = run(port, &options, &folder) {
                return Self { port, options, folder, child };
            }
        }
        panic!("redis-server starts on none of 20 free ports");
    }

    /// Starts one where one is expected.
    pub(crate) fn start_at(port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let child = run_again(port, &[], &folder);
        Self { port, options: Vec::new(), folder, child }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again what was killed, with what it had written.
    pub(crate) fn restart(&mut self) {
        self.child = run_again(self.port, &self.options, &self.folder);
    }

    /// Forgets what it had written. It must have been killed.
    pub(crate) fn lose_data(&mut self) {
        self.folder = TempDir::new().unwrap();
    }

    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// A connection for a test to look behind the archive's back.
    pub(crate) async fn client(&self) -> MultiplexedConnection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Does one command.
    pub(crate) async fn command(&self, command: &[&str]) -> redis::Value {
        let mut connection = self.client().await;
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query_async(&mut connection).await.unwrap()
    }

    /// Waits for an answer.
    pub(crate) async fn answers(&self) {
        self.command(&["PING"]).await;
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Another connection may have the port for a moment.
fn run_again(port: u16, options: &[String], folder: &TempDir) -> Child {
    let mut attempts = (0..100).filter_map(|_| run(port, options, folder));
    attempts.next().expect("redis-server does not start where it was before")
}

/// `None` if it ends before it listens.
fn run(port: u16, options: &[String], folder: &TempDir) -> Option<Child> {
    let port = port.to_string();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", "always", "--dir"]).arg(folder.path());
    command.args(options.iter().map(|option| option.replace("{port}", &port)));
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => panic!(
            "`redis-server` cannot be run ({error}): these tests need the Debian package `redis-server`"
        ),
    };
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
