//! Programs that may hang: they are given a limit, and end with us.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::wait::Interrupt;

/// A program that ends at the latest when this is dropped.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is what we want.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a program to its end, and gives how it ended and what it wrote to either output.
///
/// # Errors
///
/// If it cannot be run, or takes longer than this.
pub(super) fn output_within(
    limit: Duration,
    command: &mut Command,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<(ExitStatus, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let child = command.spawn().with_context(|| format!("cannot run `{name}`"))?;
    let mut running = Running(child);
    let status =
        interrupt.within(limit, &format!("end of `{name}`"), || match running.0.try_wait()? {
            Some(status) => Ok(status),
            None => bail!("it still runs"),
        })?;
    let written = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok((status, String::from_utf8_lossy(&written).into_owned()))
}

/// The last lines of what a program wrote, as one.
pub(super) fn end_of(written: &str) -> String {
    let lines: Vec<_> = written.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    let from = lines.len().saturating_sub(4);
    lines.iter().skip(from).copied().collect::<Vec<_>>().join(" / ")
}
