//! A running `vexilla serve`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::http::Http;
use crate::wait::Interrupt;

/// A sidecar on a free port. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Vexilla {
    pub(crate) http: Http,
    child: Child,
    log: PathBuf,
    interrupt: Interrupt,
}

impl Vexilla {
    /// Starts one and waits until it listens.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let child = spawn(program, arguments, environment, log)?;
        let interrupt = interrupt.clone();
        let mut vexilla = Self { http: Http::new(""), child, log: log.to_owned(), interrupt };
        let address = vexilla.interrupt.clone().until("listening Vexilla", || {
            let said = fs::read_to_string(&vexilla.log)?;
            match said.lines().find_map(|it| it.strip_prefix("listening on ")) {
                Some(address) => Ok(Ok(address.to_owned())),
                None => match vexilla.child.try_wait()? {
                    Some(status) => Ok(Err(status)), // no use in waiting on
                    None => bail!("it says nothing"),
                },
            }
        })?;
        match address {
            Ok(address) => vexilla.http = Http::new(address),
            Err(status) => bail!("vexilla ended with {status}: {}", last_line(&vexilla.log)),
        }
        Ok(vexilla)
    }

    /// Starts one that is to end by itself, and gives what it says last.
    pub(crate) fn fails(
        program: &Path,
        arguments: &[&str],
        log: &Path,
        interrupt: &Interrupt,
    ) -> Result<String> {
        let mut child = Guard(spawn(program, arguments, &[], log)?);
        let status = interrupt.until("end of Vexilla", || match child.0.try_wait()? {
            Some(status) => Ok(status),
            None => bail!("it still runs"),
        })?;
        ensure!(!status.success(), "it ended well");
        Ok(last_line(log))
    }

    /// The admin API, once it listens.
    pub(crate) fn admin(&self) -> Result<Http> {
        self.interrupt.until("admin API", || {
            let said = fs::read_to_string(&self.log)?;
            let address = said.lines().find_map(|it| it.strip_prefix("admin on "));
            Ok(Http::new(address.context("it says nothing of it")?))
        })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many lines it has logged so far.
    pub(crate) fn logged(&self) -> usize {
        fs::read_to_string(&self.log).map_or(0, |it| it.lines().count())
    }

    /// Waits until it warns, in a line after those first ones.
    pub(crate) fn until_it_warns(&self, after: usize) -> Result<()> {
        self.interrupt.until("warning of Vexilla", || {
            let log = fs::read_to_string(&self.log)?;
            ensure!(log.lines().skip(after).any(|it| it.contains("WARN")), "it logs none");
            Ok(())
        })
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        #[cfg(unix)]
        {
            let kill = format!("kill -TERM {}", self.child.id());
            Command::new("sh").args(["-c", &kill]).status().context("cannot run `sh`")?;
        }
        #[cfg(not(unix))]
        self.child.kill()?;
        self.interrupt.clone().until("end of Vexilla", || match self.child.try_wait()? {
            Some(status) => Ok(status),
            None => bail!("it still runs"),
        })
    }
}

impl Drop for Vexilla {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A process that is not to outlive a failure.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// Ends a process that may have ended already.
fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

fn spawn(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
    log: &Path,
) -> Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command = Command::new(program);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "info"])
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    command.spawn().with_context(|| format!("cannot run {}", program.display()))
}

fn last_line(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().next_back().unwrap_or("it said nothing").to_owned()
}
