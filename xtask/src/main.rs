//! Checks of this repository. `cargo xtask ci` runs what CI runs; each of its steps can be run alone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

mod bench;
#[cfg(test)]
mod book;
mod clients;
mod command;
mod conformance;
mod counts;
mod dist;
mod fuzz;
mod http;
mod integ;
mod load;
mod options;
mod redis;
mod steps;
mod tidy;
mod tools;
mod wait;
#[cfg(test)]
mod workflows;
mod workspace;

use steps::{Run, STEPS, Step};
use tools::{TOOLS, Tool};

fn main() -> ExitCode {
    let given = cli().get_matches();
    let Some((name, given)) = given.subcommand() else { return ExitCode::FAILURE };
    if let Some(tool) = TOOLS.iter().find(|it| it.name == name) {
        return tool.run(given);
    }
    match STEPS.iter().find(|it| it.name == name) {
        Some(step) => check(std::slice::from_ref(step), given),
        None => check(&STEPS, given),
    }
}

/// How this is called.
fn cli() -> Command {
    let verbose = Arg::new("verbose")
        .long("verbose")
        .action(ArgAction::SetTrue)
        .help("Show also what is only worth knowing");
    let checks = std::iter::once(("ci", "all of these steps, in this order"))
        .chain(STEPS.iter().map(|it| (it.name, it.about)))
        .map(|(name, about)| Command::new(name).about(about).arg(verbose.clone()));
    Command::new("cargo xtask")
        .bin_name("cargo xtask")
        .about("Checks of this repository: the steps of `ci`, and tools with options of their own")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(checks)
        .subcommands(TOOLS.iter().map(Tool::command))
}

fn check(steps: &[Step], given: &ArgMatches) -> ExitCode {
    let mut run = Run::new(given.get_flag("verbose"));
    let passed = run.all(steps);
    // The last line, whatever happened: CI reads how many tests ran from it.
    if steps.iter().any(|it| it.name == "test") {
        println!("{}", run.counts());
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    //! The command line as a whole; clap itself looks for names that are given twice.

    #[test]
    fn commands_are_well_formed() {
        super::cli().debug_assert();
    }
}
