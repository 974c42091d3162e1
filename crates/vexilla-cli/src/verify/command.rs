//! `vexilla verify`: the run as a command.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use vexilla_domain::{Flag, FlagSource, Strictness};
use vexilla_eval::Ruleset;

use super::{Difference, Ending, Options, Progress, RecordedFlags, Report, run};
use crate::args::VerifyArgs;
use crate::error::CommandError;
use crate::explain::text;
use crate::output::print;
use crate::settings::Settings;
use crate::source::{config, fetch_flagr, flagr};

pub(crate) async fn command(
    args: VerifyArgs,
    settings: &Settings,
) -> Result<ExitCode, CommandError> {
    let source = flagr(config(&args.flagr, settings)?)?;
    let flags = fetch_flagr(&source).await?.flags;
    let options = Options {
        cases: args.cases,
        seed: args.seed,
        rate: (args.rate > 0).then_some(args.rate),
        recorded_flags: if args.include_recorded {
            RecordedFlags::Include
        } else {
            RecordedFlags::Skip
        },
        ..Options::default()
    };
    let bar = bar(options.cases);
    let mut progress = |it: Progress| {
        bar.set_position(it.done);
        if it.differing > 0 {
            bar.set_message(format!("{} differ", it.differing));
        }
    };
    let report = run(&flags, &source.evaluator(), &options, &mut progress).await;
    bar.finish_and_clear();
    write_reproductions(&args.out, &report)?;
    print(words(&source.describe(), &flags, &report, &args.out))?;
    Ok(ExitCode::from(report.status()))
}

/// A bar on a terminal, nothing elsewhere.
fn bar(cases: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:30} {human_pos} of {human_len}, {eta} left {msg}");
    ProgressBar::new(cases).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// One file for each difference; the folder is made when there is one.
fn write_reproductions(folder: &Path, report: &Report) -> Result<(), CommandError> {
    for (at, difference) in report.differences.iter().enumerate() {
        let path = folder.join(file_name(at));
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, difference.reproduction.as_bytes()));
        written
            .map_err(|source| CommandError::Write { place: path.display().to_string(), source })?;
    }
    Ok(())
}

fn file_name(at: usize) -> String {
    format!("difference-{}.json", at + 1)
}

fn words(place: &str, flags: &[Flag], report: &Report, folder: &Path) -> String {
    let mut lines = Vec::new();
    let rules = Ruleset::compile(flags, Vec::new(), Strictness::AsStored, None).ruleset;
    for (at, difference) in report.differences.iter().enumerate() {
        lines.push(different(difference, &rules));
        lines.push(format!("         written to {}\n", folder.join(file_name(at)).display()));
    }
    for skipped in &report.skipped {
        lines.push(format!("flag `{}` is left out: {}\n", skipped.flag.key, skipped.reason));
    }
    for flaw in &report.flaws {
        let panicked = if flaw.panicked { ", and would panic again" } else { "" };
        let entity = flaw.context.entity_id();
        lines.push(format!(
            "flag `{}`: Flagr gave no answer for entity `{entity}`{panicked}: {}\n",
            flaw.flag.key, flaw.message
        ));
    }
    match &report.ending {
        Ending::Finished => {}
        Ending::NothingToAsk => lines.push("there is no flag to ask for\n".to_owned()),
        Ending::GaveUp(why) => lines.push(format!("gave up: {why}\n")),
    }
    lines.push(format!(
        "{place}: {} cases decided on both sides, {} without an answer, {} different\n",
        report.compared, report.unanswered, report.differing
    ));
    lines.concat()
}

fn different(difference: &Difference, rules: &Ruleset) -> String {
    let key = &difference.flag.key;
    let head = format!("flag `{key}` for entity `{}`:\n", difference.context.entity_id());
    let members = difference
        .mismatches
        .iter()
        .map(|it| format!("         {}: here {}, Flagr {}\n", it.member, it.ours, it.theirs));
    let trace = text::trace(key, rules.explain(key, &difference.context).as_ref(), &[]);
    std::iter::once(head).chain(members).chain([trace]).collect()
}
