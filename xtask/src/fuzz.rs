//! `cargo xtask fuzz`: each fuzz target for a while.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::command::{ROOT, cargo, run};

const FOLDER: &str = "fuzz/fuzz_targets";
const QUICK: &str = "vexilla-fuzz-quick";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Run this target alone
    #[arg(long, value_name = "TARGET")]
    only: Option<String>,
}

pub(crate) fn fuzz(options: &Options) -> Result<()> {
    let mut targets = all_targets()?;
    if let Some(only) = &options.only {
        targets.retain(|it| it == only);
    }
    ensure!(!targets.is_empty(), "{FOLDER} holds no such target");
    let installed = cargo(&["fuzz", "--version"]).output().is_ok_and(|it| it.status.success());
    if !installed {
        println!(
            "cargo-fuzz is not installed: the targets' checks run on random changes of recorded inputs"
        );
        return quickly(&targets, options.seconds);
    }
    for target in &targets {
        println!("== {target}");
        let limit = format!("-max_total_time={}", options.seconds);
        run(&mut cargo(&["fuzz", "run", target, "--", &limit]))?;
    }
    Ok(())
}

/// The checks of the targets without libFuzzer, which stands in where that is missing, and in `ci`.
pub(crate) fn quickly(targets: &[String], seconds: u32) -> Result<()> {
    const RUN: [&str; 7] =
        ["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--locked", "--package", QUICK];
    let seconds = seconds.to_string();
    for target in targets {
        run(cargo(&RUN).args(["--", &seconds, target]))?;
    }
    Ok(())
}

/// All targets.
pub(crate) fn all_targets() -> Result<Vec<String>> {
    targets(&Path::new(ROOT).join(FOLDER))
}

/// The targets of a folder, by name. A folder that is not there has none.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", folder.display()));
        }
    };
    let mut targets = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_rust = path.extension().is_some_and(|it| it == "rs");
        if let Some(name) = path.file_stem().filter(|_| is_rust) {
            targets.push(name.to_string_lossy().into_owned());
        }
    }
    targets.sort_unstable();
    Ok(targets)
}

#[cfg(test)]
mod tests;
