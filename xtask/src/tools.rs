//! Commands that are no step of `ci`: they need a Flagr, or time.

use std::process::ExitCode;

use anyhow::Result;

use crate::{bench, conformance, fuzz, integ};

/// A command with options of its own.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

pub(crate) const TOOLS: [Tool; 4] = [
    Tool {
        name: "integ",
        about: "the binary against a real Flagr, in Docker or by URL",
        run: integ::integ,
    },
    Tool {
        name: "conformance",
        about: "--check the recordings, or --record them from a Flagr",
        run: conformance::conformance,
    },
    Tool {
        name: "bench",
        about: "runs the benchmarks and writes one table: --quick for less than three minutes",
        run: bench::bench,
    },
    Tool { name: "fuzz", about: "each fuzz target for a while: --seconds N", run: fuzz::fuzz },
];

impl Tool {
    /// Runs it, and says at the end what is wrong.
    pub(crate) fn run(&self, arguments: &[String]) -> ExitCode {
        match (self.run)(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                ExitCode::FAILURE
            }
        }
    }
}
