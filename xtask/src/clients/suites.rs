//! What is run: each suite prints its checks and counts them.

mod schemathesis;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::install::Runtime;
use super::process::{end_of, output_within};
use super::report::{Outcome, Report, read};
use crate::integ::Tally;
use crate::wait::Interrupt;

/// How long all checks of one suite may take.
const LIMIT: Duration = Duration::from_secs(180);

/// A client, and what is checked with it.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    runtime: Runtime,
    /// Its folder in `xtask/clients`.
    folder: &'static str,
    body: fn(&Self, &Path, &Stage<'_>, &mut Report) -> Result<()>,
}

pub(super) const SUITES: &[Suite] = &[
    Suite { name: "jsflagr", runtime: Runtime::Node, folder: "js", body: Suite::script },
    Suite { name: "ofrep", runtime: Runtime::Node, folder: "js", body: Suite::script },
    Suite { name: "python", runtime: Runtime::Python, folder: "python", body: Suite::script },
    Suite {
        name: "schemathesis",
        runtime: Runtime::Python,
        folder: "schemathesis",
        body: schemathesis::run,
    },
];

/// What the suites work with.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) vexilla: &'a str,
    pub(super) flagr: Option<&'a str>,
    /// Whether Flagr's results have the form that Vexilla's have.
    pub(super) todays_form: bool,
    /// What begins the key of each flag.
    pub(super) prefix: &'a str,
    /// For logs.
    pub(super) folder: &'a Path,
    pub(super) program: &'a Path,
    /// The arguments that say where Vexilla finds the flags.
    pub(super) source: &'a [&'a str],
    pub(super) interrupt: &'a Interrupt,
}

impl Suite {
    /// Runs it, where that is possible.
    pub(super) fn run(&self, stage: &Stage<'_>) -> Tally {
        let mut report = Report::new(self.name);
        if let Some(missing) = self.runtime.missing() {
            report.tell(Outcome::Skipped, format_args!("`{missing}` is not installed here"));
            return report.into_tally();
        }
        let installed = self.runtime.install(self.folder, stage.interrupt);
        if let Err(error) = installed.and_then(|it| (self.body)(self, &it, stage, &mut report)) {
            report.tell(Outcome::Failed, format_args!("{error:#}"));
        }
        report.into_tally()
    }

    /// Runs the script of the suite's name, which writes a line for each check.
    fn script(&self, folder: &Path, stage: &Stage<'_>, report: &mut Report) -> Result<()> {
        let (program, ending) = match self.runtime {
            Runtime::Node => ("node", "mjs"),
            Runtime::Python => ("python", "py"),
        };
        let mut command = self.runtime.command(folder, program);
        command
            .arg(format!("{}.{ending}", self.name))
            .env("VEXILLA_URL", stage.vexilla)
            .env("KEY_PREFIX", stage.prefix)
            .env("TODAYS_FORM", if stage.todays_form { "yes" } else { "no" })
            .env("PYTHONUTF8", "1")
            .env_remove("FLAGR_URL");
        if let Some(flagr) = stage.flagr {
            command.env("FLAGR_URL", flagr);
        }
        let log = stage.folder.join(self.name).with_extension("log");
        let (status, written) = output_within(LIMIT, &mut command, &log, stage.interrupt)?;
        let mut checks = 0_usize;
        for (outcome, check) in written.lines().filter_map(read) {
            report.tell(outcome, check);
            checks += 1;
        }
        ensure!(status.success(), "it ended with {status}: {}", end_of(&written));
        ensure!(0 < checks, "it checked nothing: {}", end_of(&written));
        Ok(())
    }
}
