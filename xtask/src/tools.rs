//! Commands that are no step of `ci`: they need a Flagr, or time.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::{bench, clients, conformance, dist, fuzz, integ, load};

/// A command with options of its own.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

pub(crate) const TOOLS: [Tool; 7] = [
    Tool {
        name: "integ",
        about: "the binary against a real Flagr, in Docker or by URL",
        run: integ::integ,
    },
    Tool {
        name: "clients",
        about: "published clients of Flagr and OpenFeature against the binary",
        run: clients::clients,
    },
    Tool {
        name: "conformance",
        about: "--check the recordings, or --record them from a Flagr",
        run: conformance::conformance,
    },
    Tool {
        name: "load",
        about: "the released binary's HTTP under load, beside its peers",
        run: load::load,
    },
    Tool {
        name: "bench",
        about: "runs the benchmarks and writes one table: --quick for less than three minutes",
        run: bench::bench,
    },
    Tool { name: "fuzz", about: "each fuzz target for a while: --seconds N", run: fuzz::fuzz },
    Tool {
        name: "dist",
        about: "the binary to hand out, checked, in target/dist: --target TRIPLE",
        run: dist::dist,
    },
];

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
    /// Runs it, and says at the end what is wrong. 0 is passed, 1 failed, 77 skipped.
    pub(crate) fn run(&self, arguments: &[String]) -> ExitCode {
        match (self.run)(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                if error.is::<Skipped>() { ExitCode::from(SKIPPED) } else { ExitCode::FAILURE }
            }
        }
    }
}
