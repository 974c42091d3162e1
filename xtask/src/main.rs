//! Checks of this repository. `cargo xtask ci` runs what CI runs; each of its steps can be run alone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

use std::env;
use std::process::ExitCode;

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
use tools::TOOLS;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((name, rest)) = arguments.split_first()
        && let Some(tool) = TOOLS.iter().find(|it| it.name == name)
    {
        return tool.run(rest);
    }

    let verbose = arguments.iter().any(|it| it == "--verbose");
    arguments.retain(|it| it != "--verbose");
    let steps: &[Step] = match arguments.as_slice() {
        [name] if name == "ci" => &STEPS,
        [name] => STEPS.iter().find(|it| it.name == name).map_or(&[], std::slice::from_ref),
        _ => &[],
    };
    if steps.is_empty() {
        eprintln!("{}", usage());
        return ExitCode::from(2);
    }

    let mut run = Run::new(verbose);
    let passed = run.all(steps);
    // The last line, whatever happened: CI reads how many tests ran from it.
    if steps.iter().any(|it| it.name == "test") {
        println!("{}", run.counts());
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> String {
    let line = |(name, about)| format!("\n  {name:<11} {about}");
    let steps: String = STEPS.iter().map(|it| line((it.name, it.about))).collect();
    let tools: String = TOOLS.iter().map(|it| line((it.name, it.about))).collect();
    let all = line(("ci", "all of these, in this order"));
    format!(
        "usage: cargo xtask STEP [--verbose]\n{all}{steps}\n\nbeside them, with options:\n{tools}"
    )
}
