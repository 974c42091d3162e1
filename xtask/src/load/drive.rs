//! Asking as fast as answers come: with `wrk` where it is installed, else with a loop of our own.
//!
//! While that goes on, answers are sampled and checked over a connection of its own.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tempfile::TempDir;

use super::probe::{Connection, Probe};
use crate::wait::Interrupt;

/// How many connections ask at once.
const CONNECTIONS: usize = 32;

/// How long one slice is: long enough that its beginning, when connections are opened, is little of it.
const SLICE: Duration = Duration::from_secs(3);

/// Who asks.
#[derive(Debug)]
pub(super) enum Driver {
    Wrk(TempDir),
    Own,
}

impl Driver {
    /// `wrk` costs less of the machine's time than we do, so that there is more for the servers.
    pub(super) fn find() -> Result<Self> {
        let mut version = Command::new("wrk");
        version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It prints its version and ends with 1.
        if version.status().is_ok() {
            return Ok(Self::Wrk(TempDir::with_prefix("vexilla-load-")?));
        }
        println!("wrk is not installed, so the requests come from a loop of our own");
        Ok(Self::Own)
    }

    /// Asks for one slice and gives the rate of answers, all of which were as they must be.
    pub(super) fn rate(&self, probe: &Probe, interrupt: &Interrupt) -> Result<f64> {
        ensure!(!interrupt.is_told(), "interrupted");
        match self {
            Self::Wrk(folder) => wrk(probe, folder.path().join("request.lua"), interrupt),
            Self::Own => own(probe),
        }
    }
}

fn wrk(probe: &Probe, script: PathBuf, interrupt: &Interrupt) -> Result<f64> {
    fs::write(&script, lua(probe))?;
    let seconds = SLICE.as_secs();
    let mut command = Command::new("wrk");
    command
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--script"])
        .arg(script)
        .arg(format!("http://{}{}", probe.authority, probe.path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot run wrk")?;
    let mut sampler = Connection::open(probe)?;
    let waited = interrupt.until("end of wrk", || {
        match child.try_wait()? {
            Some(status) => Ok(Ok(status)),
            // A wrong answer ends the waiting, which an error would not.
            None => match sampler.ask().and_then(|it| probe.check_answer(&it)) {
                Ok(()) => bail!("it still runs"),
                Err(error) => Ok(Err(error)),
            },
        }
    });
    if !matches!(waited, Ok(Ok(_))) {
        drop(child.kill());
        drop(child.wait());
    }
    ensure!(waited??.success(), "wrk failed");
    let (mut said, mut complained) = (String::new(), String::new());
    child.stdout.take().context("no output")?.read_to_string(&mut said)?;
    child.stderr.take().context("no output")?.read_to_string(&mut complained)?;
    // With a script that it cannot read it goes on, and asks for something else.
    ensure!(complained.is_empty(), "wrk complained: {complained}");
    rate_of(&said)
}

/// The request as a script for wrk.
fn lua(probe: &Probe) -> String {
    let quoted = |text: &str| format!("[==[{text}]==]");
    let mut lines = vec![format!("wrk.method = {}", quoted(probe.method))];
    if !probe.body.is_empty() {
        lines.push(format!("wrk.body = {}", quoted(&probe.body)));
        lines.push("wrk.headers[\"Content-Type\"] = \"application/json\"".to_owned());
    }
    if let Some((name, value)) = &probe.header {
        lines.push(format!("wrk.headers[ {} ] = {}", quoted(name), quoted(value)));
    }
    lines.join("\n")
}

/// The rate in what wrk says, unless it saw something wrong.
fn rate_of(said: &str) -> Result<f64> {
    let value = |name| said.lines().find_map(|it| it.trim().strip_prefix(name)).map(str::trim);
    if let Some(wrong) = value("Non-2xx or 3xx responses:").or_else(|| value("Socket errors:")) {
        bail!("wrk saw something wrong: {wrong}");
    }
    let rate = value("Requests/sec:").with_context(|| format!("wrk gave no rate: {said}"))?;
    rate.parse().with_context(|| format!("`{rate}` is no rate"))
}

/// A thread for each connection; the answers of each thread are checked now and then.
#[expect(clippy::disallowed_methods, reason = "a rate is by the wall's clock")]
fn own(probe: &Probe) -> Result<f64> {
    let stop = AtomicBool::new(false);
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(probe)?);
    }
    let started = Instant::now();
    let counts: Vec<Result<u32>> = thread::scope(|scope| {
        let work = |mut connection: Connection| {
            let stop = &stop;
            scope.spawn(move || {
                let mut count = 0_u32;
                while started.elapsed() < SLICE && !stop.load(Ordering::Relaxed) {
                    let answer = connection.ask().and_then(|it| {
                        if count.is_multiple_of(64) { probe.check_answer(&it) } else { Ok(()) }
                    });
                    if let Err(error) = answer {
                        stop.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                    count += 1;
                }
                Ok(count)
            })
        };
        let threads: Vec<_> = connections.into_iter().map(work).collect();
        let count = |it: thread::ScopedJoinHandle<'_, _>| {
            it.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        };
        threads.into_iter().map(count).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let mut sum = 0.0;
    for count in counts {
        sum += f64::from(count?);
    }
    Ok(sum / seconds)
}

#[cfg(test)]
mod tests;
