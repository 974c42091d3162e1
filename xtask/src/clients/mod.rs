//! `cargo xtask clients`: published clients of Flagr and of OpenFeature, and Schemathesis, against the built binary.
//!
//! They are pinned by lock files in `xtask/clients` and installed below `target/clients`, never elsewhere.

mod flags;
mod install;
mod process;
mod report;
mod suites;

use std::path::{Path, PathBuf};
use std::process::id;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tempfile::TempDir;

use crate::integ::{Flagr, Place, RESULTS, Start, Tally, Vexilla, build, found};
use crate::options::FlagrOptions;
use crate::tools::Skipped;
use crate::wait::Interrupt;
pub(crate) use flags::Flags;
use suites::{SUITES, Stage};

#[derive(Debug, Args)]
#[command(
    after_help = "Without a Flagr the flags come from a file. Ends with 0, with 1 if a check failed, and with 77 \
    if none failed but some could not be run."
)]
pub(crate) struct Options {
    #[command(flatten)]
    flagr: FlagrOptions,
    /// Test this binary instead of building one
    #[arg(long, value_name = "PROGRAM")]
    vexilla: Option<PathBuf>,
    /// Run the suites whose name begins like that
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    only: String,
}

/// What Vexilla does not need here.
const ALONE: [&str; 4] = ["--archive", "off", "--webhook-listen", "off"];

pub(crate) fn clients(options: &Options) -> Result<()> {
    let only = options.only.as_str();
    ensure!(SUITES.iter().any(|it| it.name.starts_with(only)), "no suite begins with `{only}`");
    let place = options.flagr.place()?;
    let interrupt = Interrupt::listening()?;
    let program = match &options.vexilla {
        Some(path) => found("--vexilla", path)?,
        None => build()?,
    };
    let tally = against(place.as_ref(), &program, only, &interrupt)?;
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    ensure!(!interrupt.is_told(), "interrupted; what was started is removed");
    ensure!(tally.failed == 0, "not all passed");
    if 0 < tally.skipped {
        return Err(Skipped("not everything could be run, see the lines `skipped`".into()).into());
    }
    ensure!(0 < tally.passed, "nothing was checked");
    Ok(())
}

/// Runs the suites whose names begin like that, with a Flagr of this place or without one.
pub(crate) fn against(
    place: Option<&Place>,
    program: &Path,
    only: &str,
    interrupt: &Interrupt,
) -> Result<Tally> {
    let folder = TempDir::with_prefix("vexilla-clients-").context("no temporary folder")?;
    let at = |name: &str| folder.path().join(name);
    let flags = Flags::with_prefix(format!("vexilla-clients-{}-", id()))?;
    let server = match place {
        Some(place) => {
            std::fs::create_dir(at("flagr"))?;
            let started = place.flagr(&Start::default(), &at("flagr"), interrupt)?;
            flags.make(started.rest()).context("cannot make the flags in Flagr")?;
            Some(started)
        }
        None => None,
    };
    let source = source_of(&flags, server.as_ref(), &at("flags.json"))?;
    let source: Vec<&str> = source.iter().map(String::as_str).collect();
    let arguments = [&source, &ALONE[..], &["--admin-listen", "off"]].concat();
    let vexilla = Vexilla::start(program, &arguments, &[], &at("vexilla.log"), interrupt)?;
    for http in server.iter().map(|it| &it.http).chain([&vexilla.http]) {
        interrupt.until("flags", || flags.are_all_known_to(http))?;
    }
    let version = server.as_ref().and_then(Flagr::version);
    match (&server, version) {
        (None, _) => println!("== Vexilla alone"),
        (Some(_), None) => println!("== Vexilla and a Flagr of a version that it does not tell"),
        (Some(_), Some(version)) => println!("== Vexilla and Flagr {version}"),
    }

    let stage = Stage {
        vexilla: vexilla.http.base(),
        flagr: server.as_ref().map(|it| it.http.base()),
        todays_form: RESULTS.is_in(version),
        prefix: flags.prefix(),
        folder: folder.path(),
        program,
        source: &source,
        interrupt,
    };
    let mut tally = Tally::default();
    for suite in SUITES.iter().filter(|it| it.name.starts_with(only)) {
        if interrupt.is_told() {
            break;
        }
        tally.add(&suite.run(&stage));
    }
    Ok(tally)
}

/// Where Vexilla finds the flags.
fn source_of(flags: &Flags, server: Option<&Flagr>, file: &Path) -> Result<Vec<String>> {
    if let Some(server) = server {
        let base = server.http.base().to_owned();
        return Ok(vec!["--flagr".into(), base, "--refresh-interval".into(), "100ms".into()]);
    }
    flags.write(file)?;
    Ok(vec!["--flags".into(), file.display().to_string()])
}
