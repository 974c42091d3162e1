//! Commands that are no step of `ci`: they need a Flagr, or time.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::{bench, clients, conformance, dist, fuzz, integ, load};

/// A command with options of its own.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    about: &'static str,
    options: fn(Command) -> Command,
    run: fn(&ArgMatches) -> Result<()>,
}

pub(crate) const TOOLS: [Tool; 7] = [
    Tool {
        name: "integ",
        about: "the binary against a real Flagr, in Docker or by URL",
        options: integ::Options::augment_args,
        run: |given| integ::integ(&read(given)?),
    },
    Tool {
        name: "clients",
        about: "published clients of Flagr and OpenFeature against the binary",
        options: clients::Options::augment_args,
        run: |given| clients::clients(&read(given)?),
    },
    Tool {
        name: "conformance",
        about: "--check the recordings, or --record them from a Flagr",
        options: conformance::Options::augment_args,
        run: |given| conformance::conformance(&read(given)?),
    },
    Tool {
        name: "load",
        about: "the released binary's HTTP under load, beside its peers",
        options: load::Options::augment_args,
        run: |given| load::load(&read(given)?),
    },
    Tool {
        name: "bench",
        about: "runs the benchmarks and writes one table: --quick for less than three minutes",
        options: bench::Options::augment_args,
        run: |given| bench::bench(&read(given)?),
    },
    Tool {
        name: "fuzz",
        about: "each fuzz target for a while: --seconds N",
        options: fuzz::Options::augment_args,
        run: |given| fuzz::fuzz(&read(given)?),
    },
    Tool {
        name: "dist",
        about: "the binary to hand out, checked, in target/dist: --target TRIPLE",
        options: dist::Options::augment_args,
        run: |given| dist::dist(&read(given)?),
    },
];

fn read<T: FromArgMatches>(given: &ArgMatches) -> Result<T> {
    Ok(T::from_arg_matches(given)?)
}

/// How a tool ends that failed nowhere and yet left something out: as automake's tests do.
const SKIPPED: u8 = 77;

/// Nothing failed, but not everything could be run.
#[derive(Debug)]
pub(crate) struct Skipped(pub(crate) String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

impl Tool {
    /// How it is called.
    pub(crate) fn command(&self) -> Command {
        (self.options)(Command::new(self.name)).about(self.about)
    }

    /// Runs it, and says at the end what is wrong. 0 is passed, 1 failed, 77 skipped.
    pub(crate) fn run(&self, given: &ArgMatches) -> ExitCode {
        match (self.run)(given) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                if error.is::<Skipped>() { ExitCode::from(SKIPPED) } else { ExitCode::FAILURE }
            }
        }
    }
}
