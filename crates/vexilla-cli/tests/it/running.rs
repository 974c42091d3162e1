//! Starts the binary, and reads what it says.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

/// The project's folder, where the README's commands are run.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The binary in the project's folder, undisturbed by the environment.
pub(crate) fn vexilla<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vexilla"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    let ours = ["VEXILLA_", "OTEL_"];
    for (variable, _) in env::vars_os() {
        if ours.iter().any(|it| variable.to_string_lossy().starts_with(it)) {
            command.env_remove(variable);
        }
    }
    command
}

/// What a command that has ended said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Fails unless it ended well, without a word on standard error.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.status, &*self.stderr), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// The error, if there is exactly one and it is the last thing that was said.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        let errors: Vec<_> = self.stderr.lines().filter(|it| it.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        assert_eq!(self.stderr.lines().last(), Some(errors[0]));
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        errors[0]
    }
}

/// Runs a command to its end.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Said {
    said(&mut vexilla(arguments))
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        status: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How long something that is expected of a sidecar may take. It never takes that long.
const PATIENCE: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "another process does not know our clock")]
fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

#[expect(clippy::disallowed_methods, reason = "another process does not know our clock")]
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// A running sidecar; it is killed when it is dropped.
pub(crate) struct Sidecar {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The lines of its log, as they come.
    log: Receiver<String>,
    /// The line that says what was loaded.
    pub(crate) loaded: String,
    /// `127.0.0.1:40123`
    pub(crate) address: String,
    /// Where the admin API and the webhook listen, in the same form.
    pub(crate) others: Vec<String>,
}

/// Which servers run beside a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    None,
    Admin,
    /// The admin API at this address.
    #[cfg(unix)]
    AdminOn(&'static str),
    AdminAndWebhook,
}

impl Sidecar {
    /// Starts `vexilla serve` on a free port and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(Beside::None, &[], arguments)
    }

    /// Starts one with other servers beside it, on free ports too, and with variables of the environment.
    pub(crate) fn start_with(
        beside: Beside,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        const FREE: &str = "127.0.0.1:0";
        let (admin, webhook, count) = match beside {
            Beside::None => ("off", "off", 0),
            Beside::Admin => (FREE, "off", 1),
            #[cfg(unix)]
            Beside::AdminOn(address) => (address, "off", 1),
            Beside::AdminAndWebhook => (FREE, FREE, 2),
        };
        let servers =
            ["serve", "--listen", FREE, "--admin-listen", admin, "--webhook-listen", webhook];
        let mut command = vexilla(servers.iter().chain(arguments));
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, log) = mpsc::channel();
        thread::spawn(move || {
            let lines = stderr.lines().map_while(Result::ok);
            lines.map(|it| said.send(it)).take_while(Result::is_ok).for_each(drop);
        });
        let loaded = line(&mut stdout);
        let listening = line(&mut stdout);
        let address = listening.strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{loaded}\n{listening}")).to_owned();
        let names = ["admin on http://", "webhook on http://"];
        let other = |name: &str| {
            let said = line(&mut stdout);
            said.strip_prefix(name).unwrap_or_else(|| panic!("{said}")).to_owned()
        };
        let others = names.into_iter().take(count).map(other).collect();
        Self { child, stdout, log, loaded, address, others }
    }

    /// Starts one with these flags. The folder holds them.
    pub(crate) fn with_flags(folder: &Path, flags: &serde_json::Value, more: &[&str]) -> Self {
        let file = folder.join("flags.json");
        std::fs::write(&file, json!({ "Flags": flags }).to_string()).unwrap();
        Self::start(&[&["--flags", file.to_str().unwrap()], more].concat())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next line of its log.
    pub(crate) fn log_line(&mut self) -> String {
        self.log.recv_timeout(PATIENCE).expect("a line of the log")
    }

    /// Reads its log up to a line with these words, which is given.
    pub(crate) fn wait_for_log(&mut self, words: &str) -> String {
        let (mut seen, deadline) = (Vec::new(), deadline());
        loop {
            match self.log.recv_timeout(left(deadline)) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no `{words}`: {error} after {}", seen.join("\n")),
            }
        }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for its end: the status, and what it said since.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stderr, deadline) = (String::new(), deadline());
        loop {
            match self.log.recv_timeout(left(deadline)) {
                Ok(line) => stderr.extend([&*line, "\n"]),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {stderr}"),
            }
        }
        let status = self.child.wait().unwrap();
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        (status.code(), stdout, stderr)
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    // A shell has `kill` built in, wherever it runs.
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.truncate(line.trim_end().len());
    line
}
