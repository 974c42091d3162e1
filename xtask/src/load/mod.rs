//! `cargo xtask load`: requests for a second, as fast as they are answered, by the released binary and by its peers.
//!
//! Only the ratios of one run count. Who is compared is asked in turn, slice by slice, so that whatever else the machine
//! does hits all alike; each row takes about ten seconds.

mod bare;
mod drive;
mod footprint;
mod idle;
mod probe;
mod row;
mod rows;
mod servers;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::bench::{Row, table};
use crate::integ::{Place, found};
use crate::options::{Known, Options};
use crate::wait::Interrupt;

const USAGE: &str = "usage: cargo xtask load [OPTIONS]

  --flagr-bin PROGRAM   compare with this Flagr server too, with its defaults
  --flagr-url URL       the same with the Flagr that is there
  --vexilla PROGRAM     measure this binary instead of building one
  --quick               two rounds instead of three";

const KNOWN: Known =
    Known { with_value: &["--flagr-bin", "--flagr-url", "--vexilla"], alone: &["--quick"] };

/// What is measured, and against whom.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) flagr: Option<Place>,
    /// Built where it is not given.
    pub(crate) vexilla: Option<PathBuf>,
    /// How often each server is asked for a second.
    pub(crate) rounds: usize,
    /// For how long one is left alone.
    pub(crate) idle_for: Duration,
}

pub(crate) fn load(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, &KNOWN).context(USAGE)?;
    let rows = rows(&options, options.has("--quick"))?;
    print!("{}", table::text(&rows));
    let missed = rows.iter().filter(|it| it.is_met() == Some(false)).count();
    ensure!(missed == 0, "{missed} of {} bars are missed", rows.len());
    Ok(())
}

/// Measures everything that the options ask for, and prints each row as it comes.
pub(crate) fn rows(options: &Options, quick: bool) -> Result<Vec<Row>> {
    let flagr = match (options.value("--flagr-bin"), options.value("--flagr-url")) {
        (Some(_), Some(_)) => bail!("`--flagr-bin` and `--flagr-url` exclude each other"),
        (Some(path), None) => Some(Place::Program(found("--flagr-bin", Path::new(path))?)),
        (None, Some(url)) => {
            ensure!(url.starts_with("http://"), "`--flagr-url` begins with http://");
            Some(Place::Url(url.trim_end_matches('/').to_owned()))
        }
        (None, None) => None,
    };
    let vexilla = options.value("--vexilla").map(PathBuf::from);
    let (rounds, idle_for) = if quick { (2, 10) } else { (3, 60) };
    let idle_for = Duration::from_secs(idle_for);
    let interrupt = Interrupt::listening()?;
    rows::all(&Settings { flagr, vexilla, rounds, idle_for }, &interrupt)
}
