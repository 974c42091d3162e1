//! The steps of `ci`, in its order.
//!
//! They share one target folder without undoing each other's work: no step sets `RUSTFLAGS`, which would build every
//! dependency anew, and `clippy` also does the work of a plain `check`.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::command::{cargo, lines_of, run};
use crate::conformance;
use crate::counts::Counts;
use crate::fuzz;
use crate::redis;
use crate::tidy;
use crate::workspace::Workspace;

/// Something that is checked.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    check: fn(&mut Run) -> Result<()>,
}

pub(crate) const STEPS: [Step; 10] = [
    Step { name: "fmt", about: "the sources are formatted", check: fmt },
    Step { name: "lint", about: "clippy has nothing to say", check: lint },
    Step { name: "test", about: "all tests and the examples in the docs pass", check: test },
    Step {
        name: "recorded",
        about: "the answers recorded from Flagr, by themselves: `conformance --check`",
        check: recorded,
    },
    Step { name: "doc", about: "the docs build without a warning", check: doc },
    Step {
        name: "features",
        about: "each library builds with each of its features alone",
        check: features,
    },
    Step { name: "benches", about: "the benchmarks build", check: benches },
    Step { name: "quick-fuzz", about: "each fuzz target for five seconds", check: quick_fuzz },
    Step {
        name: "deny",
        about: "licences and sources, where cargo-deny is installed",
        check: deny,
    },
    Step { name: "tidy", about: "our own rules", check: tidy },
];

/// A run of steps.
pub(crate) struct Run {
    verbose: bool,
    counts: Counts,
}

impl Run {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, counts: Counts::default() }
    }

    /// Runs these steps up to the first that fails, and says whether all passed.
    pub(crate) fn all(&mut self, steps: &[Step]) -> bool {
        steps.iter().all(|step| self.one(step))
    }

    #[expect(clippy::disallowed_methods, reason = "how long a step took is only shown")]
    fn one(&mut self, step: &Step) -> bool {
        println!("== {}", step.name);
        let started = Instant::now();
        let outcome = (step.check)(self);
        let took = started.elapsed().as_secs_f64();
        match &outcome {
            Ok(()) => println!("== {}: passed in {took:.1} s", step.name),
            Err(error) => eprintln!("== {}: FAILED after {took:.1} s: {error:#}", step.name),
        }
        outcome.is_ok()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

fn fmt(_: &mut Run) -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))
}

fn lint(_: &mut Run) -> Result<()> {
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))
}

/// With all features, as `lint` has them: what one of them brings is tested too.
fn test(run: &mut Run) -> Result<()> {
    redis::install()?;
    lines_of(cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]), |line| {
        println!("{line}");
        run.counts.read(line);
    })?;
    ensure!(run.counts.passed > 0, "no test ran");
    Ok(())
}

/// Once more and by themselves, so that a wrong answer is told from any other failure; not counted a second time.
fn recorded(_: &mut Run) -> Result<()> {
    conformance::check()
}

fn doc(_: &mut Run) -> Result<()> {
    run(cargo(&["doc", "--workspace", "--all-features", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings"))
}

/// Each library that others may depend on, without features and with each one alone, so that none lives on what a
/// neighbour turns on.
fn features(_: &mut Run) -> Result<()> {
    let check = |arguments: &[&str]| {
        println!("-- {}", arguments.join(" "));
        run(cargo(&["clippy", "--no-default-features", "--package"])
            .args(arguments)
            .args(["--", "-D", "warnings"]))
    };
    let workspace = Workspace::load()?;
    let libraries = workspace.ours().filter(|it| it.is_published() && it.name != "vexilla-cli");
    for library in libraries {
        check(&[&library.name])?;
        for feature in library.features.keys().filter(|it| *it != "default") {
            check(&[&library.name, "--features", feature])?;
        }
    }
    Ok(())
}

/// Built of what the step `test` has built: optimised and linked whole, a dozen of them take ten minutes, which only
/// `bench` needs.
fn benches(_: &mut Run) -> Result<()> {
    run(&mut cargo(&["test", "--workspace", "--all-features", "--benches", "--no-run"]))?;
    // With the features that `bench` builds them with.
    run(&mut cargo(&["check", "--package", "vexilla-benches", "--benches"]))
}

/// Long enough to run what was recorded, and some thousand changes of it.
fn quick_fuzz(_: &mut Run) -> Result<()> {
    fuzz::quickly(&fuzz::all_targets()?, 5)
}

/// Without the advisories: their database is downloaded from a place that CI does not reach.
fn deny(_: &mut Run) -> Result<()> {
    let installed = cargo(&["deny", "--version"]).output().is_ok_and(|it| it.status.success());
    if !installed {
        println!("cargo-deny is not installed, so licences and sources were NOT checked");
        return Ok(());
    }
    run(&mut cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]))
}

fn tidy(run: &mut Run) -> Result<()> {
    tidy::check(run.verbose)
}
