//! `cargo xtask bench`: all benchmarks in one run, as one table.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::Args;

use crate::command::{ROOT, cargo, run};
use crate::load;
use crate::options::FlagrOptions;

mod criterion;
mod instructions;
mod machine;
pub(crate) mod table;

pub(crate) use table::{Bar, Peer, Row};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rough figures within three minutes, after the build
    #[arg(long)]
    quick: bool,
    /// Leave docs/benchmarks.md as it is
    #[arg(long)]
    keep_page: bool,
    /// Leave out what is measured over HTTP
    #[arg(long)]
    no_load: bool,
    #[command(flatten)]
    flagr: FlagrOptions,
}

/// The benchmarks, in the order of the table; `instructions` needs Valgrind and comes last.
const BENCHES: [&str; 11] = [
    "peers",
    "telemetry",
    "concurrent",
    "compile",
    "storage",
    "budget",
    "outage",
    "fleet",
    "counts",
    "reference",
    "evaluate",
];

/// Rows as the benchmarks write them, the table as JSON, and the page.
const ROWS: &str = "target/bench-rows.jsonl";
const JSON: &str = "target/bench.json";
const PAGE: &str = "docs/benchmarks.md";

#[expect(clippy::disallowed_methods, reason = "to tell this run's results from older ones")]
pub(crate) fn bench(options: &Options) -> Result<()> {
    let quick = options.quick;
    let root = Path::new(ROOT);
    let started = SystemTime::now();
    _ = fs::remove_file(root.join(ROWS));

    for name in BENCHES {
        let mut command = cargo(&["bench", "--package", "vexilla-benches", "--bench", name]);
        command.env("VEXILLA_BENCH_ROWS", root.join(ROWS));
        if quick {
            command.env("VEXILLA_BENCH_QUICK", "1").args(["--", "--quick"]);
        }
        run(&mut command)?;
    }
    let lines = fs::read_to_string(root.join(ROWS)).context("the benchmarks wrote no rows")?;
    let mut rows = table::read(&lines)?;
    if !options.no_load {
        rows.extend(load::rows(&options.flagr, None, quick)?);
    }
    rows.extend(instructions::rows(quick)?);
    rows.extend(criterion::rows(&root.join("target/criterion"), started)?);

    println!("\n{}", table::text(&rows));
    fs::write(root.join(JSON), serde_json::to_vec_pretty(&rows)?)?;
    println!("as JSON: {JSON}");
    if options.keep_page || quick {
        let why = if quick { ": a quick run is too rough for it" } else { "" };
        println!("{PAGE} is left as it is{why}");
    } else {
        fs::write(root.join(PAGE), table::page(&rows, &machine::about()))?;
        println!("as a page: {PAGE}");
    }
    let missed = rows.iter().filter(|it| it.is_met() == Some(false)).count();
    let met = rows.iter().filter(|it| it.is_met() == Some(true)).count();
    println!("bars: {met} met, {missed} missed");
    Ok(())
}

#[cfg(test)]
mod tests;
