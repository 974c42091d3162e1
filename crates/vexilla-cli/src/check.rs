//! `vexilla check`: what Flagr would refuse, flag by flag.

use std::process::ExitCode;

use serde::Serialize;
use vexilla::{Level, Problem};
use vexilla_domain::json::{Document, read_flags};
use vexilla_domain::{Archived, FlagSource, Strictness};
use vexilla_eval::Ruleset;

use crate::archived;
use crate::args::{CheckArgs, CheckSources, Format};
use crate::error::CommandError;
use crate::output::{print, report};
use crate::settings::Settings;
use crate::source::{at, config, fetch_file, fetch_flagr, flagr};

/// What was found in one place.
struct Checked {
    place: String,
    flags: usize,
    problems: Vec<Problem>,
}

/// A problem as JSON.
#[derive(Serialize)]
struct Finding<'a> {
    /// Told apart only where several files are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    level: &'static str,
    flag: &'a str,
    path: &'a str,
    message: &'a str,
}

pub(crate) async fn run(args: CheckArgs, settings: &Settings) -> Result<ExitCode, CommandError> {
    let several = args.sources.files.len() > 1;
    let mut checked = Vec::new();
    let mut fine = true;
    for outcome in check(args.sources, settings).await {
        match outcome {
            Ok(found) => checked.push(found),
            Err(error @ (CommandError::Usage(_) | CommandError::Setting(_))) => return Err(error),
            Err(error) => {
                fine = false;
                report(&error);
            }
        }
    }
    fine &= checked.iter().flat_map(|it| &it.problems).all(|it| it.level != Level::Error);
    match args.format {
        _ if checked.is_empty() => {}
        Format::Json => print(json(&checked, several))?,
        Format::Text => print(text(&checked))?,
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(sources: CheckSources, settings: &Settings) -> Vec<Result<Checked, CommandError>> {
    let mut outcomes = Vec::new();
    if let Some(url) = sources.flagr {
        outcomes.push(check_flagr(&url, settings).await);
    }
    match archived::find(&sources.archived, settings).await {
        Ok(None) => {}
        Ok(Some(found)) => outcomes.push(check_archived(&found)),
        Err(error) => outcomes.push(Err(error)),
    }
    for path in sources.files {
        let place = path.display().to_string();
        let fetched = fetch_file(path).await;
        outcomes.push(fetched.map(|it| Checked::new(place, it, Strictness::Checked)));
    }
    outcomes
}

async fn check_flagr(url: &str, settings: &Settings) -> Result<Checked, CommandError> {
    let source = flagr(config(url, settings)?)?;
    let fetched = fetch_flagr(&source).await?;
    Ok(Checked::new(source.describe(), fetched, source.strictness()))
}

fn check_archived(found: &Archived) -> Result<Checked, CommandError> {
    let place = format!("{}, of {}", found.origin, found.source);
    match read_flags(&found.document) {
        Ok(document) => Ok(Checked::new(place, document, Strictness::AsStored)),
        Err(error) => Err(at(place, error)),
    }
}

impl Checked {
    fn new(place: String, fetched: Document, strictness: Strictness) -> Self {
        let flags = fetched.flags.len() + fetched.problems.len();
        let problems =
            Ruleset::compile(&fetched.flags, fetched.problems, strictness, None).problems;
        Self { place, flags, problems }
    }
}

/// One line for each problem, one for each place.
fn text(checked: &[Checked]) -> String {
    let mut lines = Vec::new();
    for Checked { place, flags, problems } in checked {
        lines.extend(problems.iter().map(|it| format!("{place}: {}: {it}\n", it.level.as_str())));
        let errors = problems.iter().filter(|it| it.level == Level::Error).count();
        let counts = [(*flags, "flag"), (errors, "error"), (problems.len() - errors, "warning")];
        lines.push(format!("{place}: {}\n", counts.map(counted).join(", ")));
    }
    lines.concat()
}

fn counted((count, what): (usize, &str)) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn json(checked: &[Checked], several: bool) -> String {
    let findings = checked.iter().flat_map(|Checked { place, problems, .. }| {
        problems.iter().map(move |it| Finding {
            file: several.then_some(place),
            level: it.level.as_str(),
            flag: &it.flag,
            path: &it.path,
            message: &it.message,
        })
    });
    let findings: Vec<_> = findings.collect();
    let mut json = serde_json::to_string_pretty(&findings).unwrap_or_default(); // plain data: cannot fail
    json.push('\n');
    json
}
