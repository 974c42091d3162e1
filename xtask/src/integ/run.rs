//! Runs scenarios one after the other and says what became of each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::flagr::Place;
use super::needs::Facts;
use super::scenarios::Scenario;
use super::stage::Stage;
use crate::wait::Interrupt;

/// How many scenarios came out how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// All that a scenario does not make itself.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: &'a Place,
    pub(crate) facts: &'a Facts,
    pub(crate) program: &'a Path,
    pub(crate) interrupt: &'a Interrupt,
}

impl Run<'_> {
    /// Runs these up to the end, or up to an interruption.
    pub(crate) fn all<'s>(&self, scenarios: impl Iterator<Item = &'s Scenario>) -> Tally {
        let mut tally = Tally::default();
        for scenario in scenarios {
            if self.interrupt.is_told() {
                break;
            }
            if let Some(reason) = self.facts.reason_to_skip(scenario.needs) {
                println!("skipped {:<22} {reason}", scenario.name);
                tally.skipped += 1;
                continue;
            }
            let (took, outcome) = self.one(scenario);
            let took = took.as_secs_f64();
            match outcome {
                Ok(()) => {
                    println!("ok      {:<22} {took:.1} s", scenario.name);
                    tally.passed += 1;
                }
                Err(error) => {
                    println!("FAILED  {:<22} {took:.1} s: {error:#}", scenario.name);
                    tally.failed += 1;
                }
            }
        }
        tally
    }

    #[expect(clippy::disallowed_methods, reason = "how long a scenario took is only shown")]
    fn one(&self, scenario: &Scenario) -> (Duration, Result<()>) {
        let started = Instant::now();
        let prefix = format!("{}-{}", self.name, scenario.name);
        let outcome = Stage::new(self.place, self.facts, self.program, self.interrupt, prefix)
            .and_then(|stage| {
                let body = AssertUnwindSafe(|| (scenario.body)(&stage));
                let outcome =
                    catch_unwind(body).unwrap_or_else(|_| Err(anyhow!("it panicked, see above")));
                if outcome.is_err() {
                    show_logs(stage.folder());
                }
                outcome
            });
        (started.elapsed(), outcome)
    }
}

/// The end of each log that the processes of a scenario left.
fn show_logs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    paths.sort_unstable();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "log")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("-- {name}");
        let log = fs::read(path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(20)) {
            println!("   {line}");
        }
    }
}
