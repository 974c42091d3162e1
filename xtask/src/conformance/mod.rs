//! `cargo xtask conformance`: the answers of a real Flagr, checked against our code, or recorded anew.

mod conditions;
mod flags;
mod record;

use anyhow::{Result, bail, ensure};

use crate::command::{cargo, lines_of};
use crate::counts::Counts;
use crate::http::Http;
use crate::options::{Known, Options};
use crate::wait::Interrupt;

const USAGE: &str = "usage: cargo xtask conformance --check | --record URL

  --check       run the tests that read conformance/
  --record URL  ask this Flagr everything again and write down what it says

A Flagr that serves the recorded flags from a file (FLAGR_DB_DBDRIVER=json_file) answers flags.json;
an empty one with a database answers conditions.jsonl and directed.jsonl.";

const KNOWN: Known = Known { with_value: &["--record"], alone: &["--check"] };

/// The tests that read the recordings: package, then what selects them.
const TESTS: [&[&str]; 4] = [
    &["vexilla-eval", "--test", "it"],
    &["vexilla-eval", "--lib", "recorded"],
    &["vexilla-flagr", "--test", "it", "recorded"],
    &["vexilla-server", "--test", "it", "recorded"],
];

pub(crate) fn conformance(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, &KNOWN)?;
    match (options.value("--record"), options.has("--check")) {
        (Some(url), false) => record_from(url),
        (None, true) => check(),
        _ => bail!("{USAGE}"),
    }
}

fn check() -> Result<()> {
    for test in TESTS {
        let mut counts = Counts::default();
        lines_of(cargo(&[&["test", "--package"], test].concat()), |line| {
            println!("{line}");
            counts.read(line);
        })?;
        ensure!(counts.passed > 0, "{} selects no test", test.join(" "));
    }
    Ok(())
}

/// A Flagr in eval-only mode answers what it was given; any other one is written to.
fn record_from(url: &str) -> Result<()> {
    let flagr = Http::new(url);
    match flagr.get("/api/v1/flags?limit=1")?.status {
        501 => flags::record(&flagr),
        200 => {
            let interrupt = Interrupt::listening()?;
            conditions::record(&flagr, "conditions.jsonl", &interrupt)?;
            conditions::record(&flagr, "directed.jsonl", &interrupt)
        }
        status => bail!("this Flagr answers {status} to a list of its flags"),
    }
}
