//! `cargo xtask conformance`: the answers of a real Flagr, checked against our code, or recorded anew.

mod conditions;
mod exchanges;
mod flags;
mod fresh;
mod record;
mod rollouts;
mod same;
mod scratch;
mod served;
mod session;
mod style;
mod wire;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::command::{cargo, lines_of};
use crate::counts::Counts;
use crate::http::Http;
use crate::options::http_url;
use crate::wait::Interrupt;
use exchanges::{Accept, Exposures, Post, Query};
use fresh::Fresh;
use scratch::Scratch;
use served::Served;
use style::Style;

const HELP: &str = "\
Which Flagr answers which file (of Flagr's settings, those not named here have their defaults):

flags.json, rollouts.jsonl, queries.jsonl, post-errors.jsonl
    one that serves the flags of the file from a file:
      cargo xtask conformance --flags rollouts.jsonl > /tmp/flags.json
      FLAGR_DB_DBDRIVER=json_file FLAGR_DB_DBCONNECTIONSTR=/tmp/flags.json flagr
    The file to record is told by the flags that are served.
conditions.jsonl, directed.jsonl
    one with a database without flags:
      FLAGR_DB_DBDRIVER=sqlite3 FLAGR_DB_DBCONNECTIONSTR=/tmp/new.sqlite flagr
accept.jsonl, exposures.jsonl, recordings/flagr-http.json
    one with a database that never held a flag, and `--only FILE`; each file needs a new database.
    The recorder stays off (FLAGR_RECORDER_ENABLED=false, the default);
    recordings/flagr-http.json needs FLAGR_HEADER_AUTH_ENABLED=true.
appendix-a.json, appendix-b.json
    no Flagr: these are worked out by hand.
recordings/flagr-webhooks-with-diff.json, and the webhooks in recordings/flagr-http.json
    no Flagr at a URL: it sends them of itself, to an address that it is started with.

A new answer is written down where it differs in more than a time, a random id or a random order.
Flags that were made are deleted again.";

/// A recording that a Flagr with a new database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    #[value(name = "accept.jsonl")]
    Accept,
    #[value(name = "exposures.jsonl")]
    Exposures,
    #[value(name = "recordings/flagr-http.json")]
    Session,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true)]
struct What {
    /// Run the tests that read conformance/
    #[arg(long)]
    check: bool,
    /// Ask this Flagr again what its kind can answer, and write down what it says
    #[arg(long, value_name = "URL", value_parser = http_url)]
    record: Option<String>,
    /// Print the flags that a Flagr must serve from a file to answer this recording
    #[arg(long, value_name = "FILE")]
    flags: Option<Served>,
}

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Options {
    #[command(flatten)]
    what: What,
    /// Record this file alone, which needs a database that never held a flag
    #[arg(long, value_name = "FILE", requires = "record")]
    only: Option<Only>,
}

pub(crate) fn conformance(options: &Options) -> Result<()> {
    match (&options.what.record, options.what.flags) {
        (Some(url), _) => record_from(url, options.only),
        (None, Some(served)) => {
            println!("{}", served.export()?.trim_end());
            Ok(())
        }
        (None, None) => check(),
    }
}

/// Tests that read the recordings say so in their names. With the packages and features of the step `test`, so that
/// nothing is built for it once that has run.
pub(crate) fn check() -> Result<()> {
    let mut counts = Counts::default();
    let select = ["test", "--workspace", "--all-features", "--tests", "--", "recorded"];
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

/// Our own answers are not to be recorded as Flagr's.
fn refuse_vexilla(url: &str) -> Result<()> {
    let path = "/api/v1/evaluation?json=%7B%22flagID%22%3A1%7D".to_owned();
    let reply = wire::ask(url, &wire::Question { method: "GET", path, ..Default::default() })?;
    let is_ours = reply.headers.keys().any(|it| it.starts_with("x-vexilla-"));
    ensure!(
        !is_ours,
        "a Vexilla answers at {url}, and what is recorded are the answers of a Flagr"
    );
    Ok(())
}

/// A Flagr in eval-only mode answers what it was given; any other one is written to.
fn record_from(url: &str, only: Option<Only>) -> Result<()> {
    let flagr = Http::new(url);
    let interrupt = Interrupt::listening()?;
    refuse_vexilla(url)?;
    let recorded = match (flagr.get("/api/v1/flags?limit=1")?.status, only) {
        (501, None) => vec![served(&flagr, &interrupt)?],
        (501, Some(_)) => bail!("this Flagr serves a file, and what is asked for needs a database"),
        (200, None) => {
            let files =
                [("conditions.jsonl", Style::Spaced), ("directed.jsonl", Style::SpacedAscii)];
            let scratch = Scratch::of(&flagr)?;
            let recorded = files.iter().try_for_each(|(name, style)| {
                conditions::record(&scratch, name, *style, &interrupt)
            });
            let removed = scratch.remove();
            recorded.and(removed)?;
            files.map(|it| it.0).to_vec()
        }
        (200, Some(only)) => {
            let fresh = Fresh::of(&flagr, &interrupt)?;
            let recorded = from_new(&flagr, &fresh, only, &interrupt);
            let cleared = fresh.clear();
            recorded.and(cleared)?;
            vec![only.name()]
        }
        (status, _) => bail!("this Flagr answers {status} to a list of its flags"),
    };
    for (file, reason) in LEFT.iter().filter(|it| !recorded.contains(&it.0)) {
        println!("{file}: left as it is; {reason}");
    }
    Ok(())
}

const SERVES: &str = "a Flagr answers it that serves its flags (`--flags FILE` prints them)";
const EMPTY: &str = "a Flagr with a database without flags answers it";
const NEW: &str = "a Flagr with a new database answers it, and `--only FILE`";
const BY_HAND: &str = "it is worked out by hand";
const SENT: &str = "Flagr sends it of itself, to an address that it is started with";

/// Every recording, and why it is left alone where it is.
const LEFT: [(&str, &str); 12] = [
    ("flags.json", SERVES),
    ("rollouts.jsonl", SERVES),
    ("queries.jsonl", SERVES),
    ("post-errors.jsonl", SERVES),
    ("conditions.jsonl", EMPTY),
    ("directed.jsonl", EMPTY),
    ("accept.jsonl", NEW),
    ("exposures.jsonl", NEW),
    ("recordings/flagr-http.json", NEW),
    ("recordings/flagr-webhooks-with-diff.json", SENT),
    ("appendix-a.json", BY_HAND),
    ("appendix-b.json", BY_HAND),
];

/// Records what is asked about the flags that are served, and names it.
fn served(flagr: &Http, interrupt: &Interrupt) -> Result<&'static str> {
    let export = flagr.get("/api/v1/export/eval_cache/json")?.ok()?;
    let served = Served::with_flags_of(&export.body)?.context(
        "no recording is about the flags that this Flagr serves: give it what `--flags FILE` prints",
    )?;
    let name = served.name();
    match served {
        Served::Flags => flags::record(flagr, interrupt),
        Served::Rollouts => rollouts::record(flagr, interrupt),
        Served::Queries => exchanges::record::<Query>(flagr.base(), name, interrupt),
        Served::PostErrors => exchanges::record::<Post>(flagr.base(), name, interrupt),
    }?;
    Ok(name)
}

/// Records what begins with the first id of a database.
fn from_new(flagr: &Http, fresh: &Fresh<'_>, only: Only, interrupt: &Interrupt) -> Result<()> {
    match only {
        Only::Accept => {
            fresh.make(&exchanges::accepts_export()?)?;
            exchanges::record::<Accept>(flagr.base(), only.name(), interrupt)
        }
        Only::Exposures => {
            fresh.make(&exchanges::exposures_export()?)?;
            exchanges::record::<Exposures>(flagr.base(), only.name(), interrupt)
        }
        Only::Session => session::record(flagr.base(), fresh, interrupt),
    }
}

impl Only {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept.jsonl",
            Self::Exposures => "exposures.jsonl",
            Self::Session => "recordings/flagr-http.json",
        }
    }
}

#[cfg(test)]
mod tests;
