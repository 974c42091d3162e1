//! Connections that do nothing, and what they cost.

use std::fs;
use std::process;

use anyhow::{Context, Result, ensure};

use super::probe::{Connection, Probe};
use super::row;
use crate::bench::Row;
use crate::wait::Interrupt;

/// How many.
const COUNT: u32 = 10_000;

/// What each may cost.
const BAR: f64 = 20_000.0;

/// Opens them to the process of this id, asks once over each, and keeps them. Nothing where the system does not tell
/// what a process needs, or allows fewer connections.
pub(super) fn row(id: u32, probe: &Probe, interrupt: &Interrupt) -> Result<Option<Row>> {
    let (Some(before), Some(most)) = (resident(id), open_files(process::id())) else {
        println!("what a connection costs is not known on this system");
        return Ok(None);
    };
    if most < u64::from(COUNT) + 200 {
        println!("{COUNT} connections need more than the {most} files that may be open here");
        return Ok(None);
    }
    let mut connections = Vec::new();
    for number in 0..COUNT {
        ensure!(!interrupt.is_told(), "interrupted");
        let mut connection =
            Connection::open(probe).with_context(|| format!("connection {number}"))?;
        let answer = connection.ask().with_context(|| format!("connection {number}"))?;
        probe.check_answer(&answer)?;
        connections.push(connection);
    }
    let after = resident(id).context("the process has ended")?;
    // Evaluation goes on, on a new connection and on those that did nothing.
    probe.check().context("a new connection")?;
    for connection in connections.iter_mut().step_by(1_000) {
        probe.check_answer(&connection.ask().context("an idle connection")?)?;
    }
    let grown = u32::try_from(after.saturating_sub(before) / u64::from(COUNT)).unwrap_or(u32::MAX);
    Ok(Some(row::of_few("idle connection, each of 10,000", "bytes", f64::from(grown), BAR)))
}

/// The memory of a process, in bytes.
pub(super) fn resident(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// How many files a process may have open.
fn open_files(id: u32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).ok()?;
    let line = limits.lines().find_map(|it| it.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
