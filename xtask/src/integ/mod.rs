//! `cargo xtask integ`: the built binary against a real Flagr.

mod answers;
mod build;
mod flagr;
mod needs;
mod run;
mod scenarios;
mod settings;
mod settings_of_vexilla;
mod stage;
mod vexilla;

use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::clients;
use crate::wait::Interrupt;
pub(crate) use build::build;
use flagr::Engine;
pub(crate) use flagr::{Flagr, Place, Rest, Start, newest_snapshot};
use needs::Facts;
pub(crate) use needs::RESULTS;
use run::Run;
pub(crate) use run::Tally;
use scenarios::{SCENARIOS, Scenario};
pub(crate) use settings::Options;
pub(crate) use settings_of_vexilla::admin_token;
pub(crate) use vexilla::Vexilla;

/// Runs the suite as told and says whether it passed.
pub(crate) fn integ(options: &Options) -> Result<()> {
    let scenarios = || SCENARIOS.iter().filter(|it| it.name.starts_with(&options.only));
    if options.list {
        for scenario in scenarios() {
            println!("{:<22} {}", scenario.name, scenario.about);
        }
        return Ok(());
    }
    ensure!(scenarios().next().is_some(), "no scenario's name begins with `{}`", options.only);

    let interrupt = Interrupt::listening()?;
    let given = options.flagr.place()?;
    if given.is_none() {
        Engine::answers()?; // before the build, which may take minutes
    }
    let program = match &options.vexilla {
        Some(path) => found("--vexilla", path)?,
        None => build()?,
    };
    let mut sum = Tally::default();
    let mut unusable = 0;
    // Everything that was started ends where its owner goes out of scope, so an error or a panic removes it as well.
    let mut against = |place: Place| -> Result<()> {
        sum.add(&one(&place, &program, scenarios(), &interrupt)?);
        if options.clients && !interrupt.is_told() {
            sum.add(&clients::against(Some(&place), &program, "", &interrupt)?);
        }
        Ok(())
    };
    if let Some(place) = given {
        against(place)?;
    } else {
        for (number, image) in options.images().into_iter().enumerate() {
            let engine = Engine::connect(&name(number), options.network)?;
            // An image that does not start is a failure, and the next one is tried all the same.
            if let Err(error) = against(Place::Docker { engine, image: image.clone() }) {
                println!("FAILED  {image}: {error:#}");
                unusable += 1;
            }
        }
    }

    sum.failed += unusable;
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    ensure!(!interrupt.is_told(), "interrupted; what was started is removed");
    ensure!(sum.failed == 0, "not all passed");
    ensure!(sum.passed > 0, "no scenario ran");
    Ok(())
}

/// A given program, by a path that holds in every folder.
pub(crate) fn found(option: &str, path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("`{option}`: there is no {}", path.display()))
}

/// Runs scenarios against one Flagr.
fn one<'a>(
    place: &Place,
    program: &Path,
    scenarios: impl Iterator<Item = &'a Scenario>,
    interrupt: &Interrupt,
) -> Result<Tally> {
    println!("== {}", place.describe());
    let facts = facts(place, interrupt)?;
    let version =
        facts.version.map_or("of a version it does not tell".to_owned(), |it| it.to_string());
    println!("== Flagr {version}");
    let name = name(0);
    Ok(Run { name: &name, place, facts: &facts, program, interrupt }.all(scenarios))
}

/// Looks at what there is before anything is judged by it.
fn facts(place: &Place, interrupt: &Interrupt) -> Result<Facts> {
    let folder = TempDir::with_prefix("vexilla-integ-").context("no temporary folder")?;
    let version = place.flagr(&Start::default(), folder.path(), interrupt)?.version();
    Ok(Facts { kind: place.kind(), version })
}

/// What begins the names of all that a run makes.
fn name(number: usize) -> String {
    format!("vexilla-integ-{}-{number}", process::id())
}
