//! `vexilla verify`: the run as a command.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use vexilla_domain::FlagSource;

use super::{Difference, Ending, Options, Peer, Progress, RecordedFlags, Report, run};
use crate::args::VerifyArgs;
use crate::error::CommandError;
use crate::output::print;
use crate::settings::Settings;
use crate::signals::Signals;
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
        bar.set_length(it.of);
        bar.set_position(it.done);
        if it.differing > 0 {
            bar.set_message(format!("{} differ", it.differing));
        }
    };
    let mut signals = Signals::new()?;
    let mut report = Report::default();
    let remote = source.evaluator();
    let peer = Peer { source: &source, remote: &remote };
    let is_told = tokio::select! {
        () = run(flags, peer, &options, &mut report, &mut progress) => false,
        () = signals.next() => true,
    };
    if is_told {
        report.ending = Ending::Interrupted;
    }
    bar.finish_and_clear();
    let written = write_reproductions(&args.out, &report);
    print(words(&source.describe(), &report, &written))?;
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

/// One file for each difference, and what became of it, in words. The folder is made when there is one; what an earlier
/// run left behind goes.
fn write_reproductions(folder: &Path, report: &Report) -> Vec<String> {
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(folder)?;
        fs::write(path, text)
    };
    let places = (1..).map(|number| folder.join(format!("difference-{number}.json")));
    let told = places.zip(&report.differences).map(|(path, difference)| {
        match write(&path, &difference.reproduction) {
            Ok(()) => format!("written to {}", path.display()),
            Err(error) => format!("{}: cannot be written: {error}", path.display()),
        }
    });
    let told: Vec<_> = told.collect();
    let left = (told.len() + 1..).map(|number| folder.join(format!("difference-{number}.json")));
    // The first that is not there ends it.
    left.map(fs::remove_file).take_while(Result::is_ok).for_each(drop);
    told
}

fn words(place: &str, report: &Report, written: &[String]) -> String {
    let mut lines = Vec::new();
    for (difference, written) in report.differences.iter().zip(written) {
        lines.push(different(difference));
        lines.push(format!("         {written}\n"));
    }
    for (flag, count) in &report.differing_of {
        let shown = report.differences.iter().filter(|it| it.flag.id == flag.id).count();
        lines.push(format!("flag `{}`: {count} cases differ, {shown} shown\n", flag.key));
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
    for given_up in &report.given_up {
        lines.push(format!("flag `{}` is given up: {}\n", given_up.flag.key, given_up.reason));
    }
    match &report.ending {
        Ending::Finished => {}
        Ending::NothingToAsk => lines.push("there is no flag to ask for\n".to_owned()),
        Ending::GaveUp(why) => lines.push(format!("gave up: {why}\n")),
        Ending::Interrupted => lines.push("interrupted\n".to_owned()),
    }
    lines.push(format!(
        "{place}: {} cases of {} of {} flags decided on both sides, {} without an answer, {} different\n",
        report.compared,
        report.asked.len(),
        report.known,
        report.unanswered,
        report.differing
    ));
    lines.concat()
}

fn different(difference: &Difference) -> String {
    let key = &difference.flag.key;
    let head = format!("flag `{key}` for entity `{}`:\n", difference.context.entity_id());
    let members = difference
        .mismatches
        .iter()
        .map(|it| format!("         {}: here {}, Flagr {}\n", it.member, it.ours, it.theirs));
    std::iter::once(head).chain(members).chain([difference.trace.clone()]).collect()
}
