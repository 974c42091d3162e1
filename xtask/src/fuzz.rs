//! `cargo xtask fuzz`: each fuzz target for a while.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::{ROOT, cargo, run};
use crate::options::{Known, Options};

const KNOWN: Known = Known { with_value: &["--seconds", "--only"], alone: &[] };
const USAGE: &str = "usage: cargo xtask fuzz [--seconds N] [--only TARGET]";
const FOLDER: &str = "fuzz/fuzz_targets";
const QUICK: &str = "vexilla-fuzz-quick";

pub(crate) fn fuzz(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, &KNOWN).context(USAGE)?;
    let seconds: u32 = options.value("--seconds").unwrap_or("60").parse().context(USAGE)?;
    ensure!(seconds > 0, "with `--seconds 0` a target would never end");

    let mut targets = all_targets()?;
    if let Some(only) = options.value("--only") {
        targets.retain(|it| it == only);
    }
    ensure!(!targets.is_empty(), "{FOLDER} holds no such target");
    let installed = cargo(&["fuzz", "--version"]).output().is_ok_and(|it| it.status.success());
    if !installed {
        println!(
            "cargo-fuzz is not installed: the targets' checks run on random changes of recorded inputs"
        );
        return quickly(&targets, seconds);
    }
    for target in &targets {
        println!("== {target}");
        let limit = format!("-max_total_time={seconds}");
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
