//! `cargo xtask load`: requests as fast as they are answered, by the binary that is handed out and by its peers.
//!
//! Only the ratios of one run count. Who is compared is asked in turn, slice by slice, so that whatever else the machine
//! does hits all alike; each row takes about a minute.

mod bare;
mod drive;
mod footprint;
mod idle;
mod probe;
mod row;
mod rows;
mod servers;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::bench::{Row, table};
use crate::integ::Place;
use crate::options::FlagrOptions;
use crate::wait::Interrupt;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    flagr: FlagrOptions,
    /// Measure this binary instead of building one
    #[arg(long, value_name = "PROGRAM")]
    vexilla: Option<PathBuf>,
    /// Two rounds instead of nine
    #[arg(long)]
    quick: bool,
}

/// What is measured, and against whom.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) flagr: Option<Place>,
    /// Built where it is not given.
    pub(crate) vexilla: Option<PathBuf>,
    /// How often each server is asked for a slice.
    pub(crate) rounds: usize,
    /// For how long one is left alone.
    pub(crate) idle_for: Duration,
}

pub(crate) fn load(options: &Options) -> Result<()> {
    let rows = rows(&options.flagr, options.vexilla.clone(), options.quick)?;
    print!("{}", table::text(&rows));
    let missed = rows.iter().filter(|it| it.is_met() == Some(false)).count();
    ensure!(missed == 0, "{missed} of {} bars are missed", rows.len());
    Ok(())
}

/// Measures everything, beside this Flagr if there is one, and prints each row as it comes.
pub(crate) fn rows(
    flagr: &FlagrOptions,
    vexilla: Option<PathBuf>,
    quick: bool,
) -> Result<Vec<Row>> {
    let flagr = flagr.place()?;
    let (rounds, idle_for) = if quick { (2, 10) } else { (9, 60) };
    let idle_for = Duration::from_secs(idle_for);
    let interrupt = Interrupt::listening()?;
    rows::all(&Settings { flagr, vexilla, rounds, idle_for }, &interrupt)
}
