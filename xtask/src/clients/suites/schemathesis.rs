//! Schemathesis: generated requests, held against what the admin API says of itself.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Stage, Suite};
use crate::clients::process::{end_of, output_within};
use crate::clients::report::{Outcome, Report};
use crate::integ::{Vexilla, admin_token};

/// How long requests are generated, in seconds.
const SECONDS: &str = "30";

/// After which it is not at work any more, but hangs.
const LIMIT: Duration = Duration::from_secs(120);

const TOKEN: &str = "a-token-of-this-run";

/// What it found out.
#[derive(Debug, Deserialize)]
struct Findings {
    complete: bool,
    operations: Operations,
    test_cases: Cases,
    failures: Vec<Failure>,
    errors: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Operations {
    total: usize,
    tested: usize,
}

#[derive(Debug, Deserialize)]
struct Cases {
    generated: usize,
}

#[derive(Debug, Deserialize)]
struct Failure {
    title: String,
    operations: Vec<String>,
}

/// Lets it ask a Vexilla of its own, which it may refresh as often as it likes.
pub(super) fn run(
    suite: &Suite,
    folder: &Path,
    stage: &Stage<'_>,
    report: &mut Report,
) -> Result<()> {
    let at = |name: &str| stage.folder.join(name);
    let off = ["--archive", "off", "--webhook-listen", "off", "--admin-listen", "127.0.0.1:0"];
    let arguments = [stage.source, &off].concat();
    let log = at("admin.log");
    let environment = admin_token(TOKEN);
    let vexilla = Vexilla::start(stage.program, &arguments, &environment, &log, stage.interrupt)?;
    let admin = vexilla.admin()?;

    let findings = at("findings.json");
    let mut command = suite.runtime.command(folder, "schemathesis");
    command.arg("run").arg(format!("{}/openapi.json", admin.base()));
    command.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    command.args(["--max-time", SECONDS, "--max-examples", "200", "--seed", "1", "--no-color"]);
    command.args(["--report", "json", "--report-json-path"]).arg(&findings);
    let log = at("schemathesis.log");
    let (_, written) = output_within(LIMIT, &mut command, &log, stage.interrupt)?;
    // Its status says the same as what it found.
    let findings = fs::read(&findings).with_context(|| end_of(&written))?;
    let findings: Findings = serde_json::from_slice(&findings).context("what it found")?;

    for Failure { title, operations } in &findings.failures {
        report.tell(Outcome::Failed, format_args!("{title}: {}", operations.join(", ")));
    }
    for error in &findings.errors {
        report.tell(Outcome::Failed, error);
    }
    if !findings.failures.is_empty() || !findings.errors.is_empty() {
        println!("{written}");
        return Ok(());
    }
    let Findings { complete, operations: Operations { total, tested }, test_cases, .. } = findings;
    ensure!(complete && tested == total && 0 < tested, "only {tested} of {total} were asked");
    admin.get("/health")?.ok()?;
    let requests = test_cases.generated;
    report.tell(Outcome::Ok, format_args!("{requests} requests to {tested} operations"));
    Ok(())
}
