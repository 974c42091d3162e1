//! `cargo xtask conformance`: the answers of a real Flagr, checked against our code, or recorded anew.

mod conditions;
mod flags;
mod record;
mod scratch;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::command::{cargo, lines_of};
use crate::counts::Counts;
use crate::http::Http;
use crate::options::http_url;
use crate::wait::Interrupt;
use scratch::Scratch;

#[derive(Debug, Args)]
#[group(required = true)]
#[command(
    after_help = "A Flagr that serves the recorded flags from a file (FLAGR_DB_DBDRIVER=json_file) answers \
    flags.json; an empty one with a database answers conditions.jsonl and directed.jsonl."
)]
pub(crate) struct Options {
    /// Run the tests that read conformance/
    #[arg(long)]
    check: bool,
    /// Ask this Flagr everything again and write down what it says
    #[arg(long, value_name = "URL", value_parser = http_url)]
    record: Option<String>,
}

pub(crate) fn conformance(options: &Options) -> Result<()> {
    options.record.as_deref().map_or_else(check, record_from)
}

/// Tests that read the recordings say so in their names. With the features of the step `test`, so that nothing is built
/// for it once that has run.
pub(crate) fn check() -> Result<()> {
    let mut counts = Counts::default();
    let select =
        ["test", "--workspace", "--all-features", "--lib", "--test", "it", "--", "recorded"];
    lines_of(cargo(&select), |line| {
        if !line.starts_with("test result: ok. 0 passed") {
            println!("{line}");
        }
        counts.read(line);
    })?;
    ensure!(counts.passed > 0, "no test reads the recordings");
    println!("{} tests read the recordings, and passed", counts.passed);
    Ok(())
}

/// A Flagr in eval-only mode answers what it was given; any other one is written to.
fn record_from(url: &str) -> Result<()> {
    let flagr = Http::new(url);
    match flagr.get("/api/v1/flags?limit=1")?.status {
        501 => flags::record(&flagr),
        200 => {
            let interrupt = Interrupt::listening()?;
            let scratch = Scratch::of(&flagr)?;
            let recorded = ["conditions.jsonl", "directed.jsonl"]
                .into_iter()
                .try_for_each(|it| conditions::record(&scratch, it, &interrupt));
            let removed = scratch.remove();
            recorded.and(removed)
        }
        status => bail!("this Flagr answers {status} to a list of its flags"),
    }
}
