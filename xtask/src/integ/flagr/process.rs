//! Flagr as a process of this machine.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::Start;
use crate::wait::Interrupt;

/// A Flagr that was started from its program. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    command: Command,
    folder: PathBuf,
    child: Child,
}

impl Process {
    pub(super) fn spawn(
        program: &Path,
        folder: PathBuf,
        port: u16,
        start: &Start,
        log: &Path,
    ) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut command = Command::new(program);
        command
            .current_dir(&folder)
            .envs(start.environment("127.0.0.1", port, &folder))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = spawn(&mut command)?;
        Ok(Self { command, folder, child })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fails when it has ended by itself.
    pub(super) fn is_alive(&mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "Flagr has ended");
        Ok(())
    }

    pub(super) fn start(&mut self) -> Result<()> {
        self.child = spawn(&mut self.command)?;
        Ok(())
    }

    pub(super) fn stop(&mut self, interrupt: &Interrupt) -> Result<()> {
        self.signal("TERM")?;
        interrupt.until("end of Flagr", || match self.child.try_wait()? {
            Some(_) => Ok(()),
            None => bail!("it still runs"),
        })
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(super) fn signal(&self, name: &str) -> Result<()> {
        signal(&self.child, name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is what we want.
        drop(self.kill());
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().with_context(|| format!("cannot run `{program}`"))
}

/// A shell has `kill` built in, wherever there is a shell.
fn signal(child: &Child, name: &str) -> Result<()> {
    let kill = format!("kill -{name} {}", child.id());
    let output = Command::new("sh").args(["-c", &kill]).output().context("cannot run `sh`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{kill}` failed: {}", said.trim_end());
    Ok(())
}
