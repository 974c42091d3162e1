//! Instructions for each evaluation, counted by Valgrind: the same on a busy machine and on a quiet one.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::table::Row;
use crate::command::{ROOT, cargo, lines_of, program, run};

/// The benchmark that needs Valgrind.
pub(super) const BENCH: &str = "instructions";

/// Where the runner is put if it is not there: it has to be of the version that the benchmark is built with.
const TOOLS: &str = "target/tools";
const RUNNER: &str = "gungraun-runner";

/// How many more evaluations the second function of a pair makes than the first.
const MORE: f64 = 1_000.0;

/// A row for each shape of a flag; none where there is no Valgrind.
pub(super) fn rows(quick: bool) -> Result<Vec<Row>> {
    let has =
        |name: &str| program(name, &["--version"]).output().is_ok_and(|it| it.status.success());
    if !has("valgrind") {
        println!("valgrind is not installed, so instructions were NOT counted");
        return Ok(Vec::new());
    }
    let runner = Path::new(ROOT).join(TOOLS).join("bin").join(RUNNER);
    if !runner.is_file() {
        if quick {
            println!("{RUNNER} is not installed: a run without --quick installs it");
            return Ok(Vec::new());
        }
        let version = version()?;
        run(&mut cargo(&["install", RUNNER, "--version", &version, "--locked", "--root", TOOLS]))?;
    }
    let mut lines = Vec::new();
    let mut command = cargo(&["bench", "--package", "vexilla-benches", "--bench", BENCH]);
    command.env("GUNGRAUN_RUNNER", runner).env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1");
    lines_of(command, |line| {
        println!("{line}");
        lines.push(line.to_owned());
    })?;
    Ok(pairs(&counts(&lines)))
}

/// The version of the library that the lock file names.
fn version() -> Result<String> {
    let lock = std::fs::read_to_string(Path::new(ROOT).join("Cargo.lock"))?;
    locked(&lock).context("Cargo.lock names no gungraun")
}

fn locked(lock: &str) -> Option<String> {
    let rest = lock.split_once("name = \"gungraun\"\nversion = \"")?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The instructions of each function, by its name: a line with `name:` ends a heading, a later one has the count.
fn counts(lines: &[String]) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    let mut name = None;
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [heading, case, ..] if heading.contains("::") => {
                name = case.split_once(':').map_or(Some(*case), |it| Some(it.0));
            }
            ["Instructions:", count, ..] => {
                let count = count.split('|').next().unwrap_or_default().replace(',', "");
                if let (Some(name), Ok(count)) = (name.take(), count.parse()) {
                    counts.insert(name.to_owned(), count);
                }
            }
            _ => {}
        }
    }
    counts
}

/// What an evaluation takes, of one and of 1,001 of them.
fn pairs(counts: &BTreeMap<String, f64>) -> Vec<Row> {
    let pair = |(name, once): (&String, &f64)| {
        let shape = name.strip_suffix("_once")?;
        let many = counts.get(&format!("{shape}_1001_times"))?;
        Some(Row {
            work: format!("instructions of Ruleset::evaluate, {shape}"),
            unit: "instructions".to_owned(),
            ours: (many - once) / MORE,
            peer: None,
            ratio: None,
            bar: None,
        })
    };
    counts.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests;
