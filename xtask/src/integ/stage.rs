//! What a scenario works with.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::answers::comparable;
use super::flagr::{Flagr, Place, Start, newest_snapshot};
use super::needs::{Facts, RESULTS};
use super::vexilla::Vexilla;
use crate::wait::Interrupt;

const EVALUATION: &str = "/api/v1/evaluation";
const BATCH: &str = "/api/v1/evaluation/batch";

/// One scenario's place. What it starts is gone when the scenario ends.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) place: &'a Place,
    pub(super) facts: &'a Facts,
    pub(super) program: &'a Path,
    pub(super) interrupt: &'a Interrupt,
    /// Begins the key of each flag, so that scenarios share a Flagr without meeting.
    prefix: String,
    folder: TempDir,
    started: Cell<usize>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        place: &'a Place,
        facts: &'a Facts,
        program: &'a Path,
        interrupt: &'a Interrupt,
        prefix: String,
    ) -> Result<Self> {
        let folder = TempDir::with_prefix("vexilla-integ-").context("no temporary folder")?;
        Ok(Self { place, facts, program, interrupt, prefix, folder, started: Cell::new(0) })
    }

    /// A key, or a tag, of this scenario's own.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A Flagr with usual settings.
    pub(super) fn flagr(&self) -> Result<Flagr> {
        self.flagr_with(&Start::default())
    }

    pub(super) fn flagr_with(&self, start: &Start) -> Result<Flagr> {
        let folder = self.numbered("flagr");
        fs::create_dir(&folder)?;
        self.place.flagr(start, &folder, self.interrupt)
    }

    /// A Vexilla with usual settings in front of a Flagr.
    pub(super) fn vexilla(&self, flagr: &Flagr) -> Result<Vexilla> {
        self.vexilla_with(flagr, &[], &[])
    }

    /// One with more arguments, which replace usual ones, and more environment.
    pub(super) fn vexilla_with(
        &self,
        flagr: &Flagr,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Vexilla> {
        let arguments = Self::arguments(flagr, more);
        let log = self.numbered("vexilla").with_extension("log");
        Vexilla::start(self.program, &arguments, environment, &log, self.interrupt)
    }

    /// What a Vexilla says that is not to start.
    pub(super) fn vexilla_fails(&self, flagr: &Flagr) -> Result<String> {
        let log = self.numbered("vexilla").with_extension("log");
        Vexilla::fails(self.program, &Self::arguments(flagr, &[]), &log, self.interrupt)
    }

    /// Runs another command of the binary to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.program);
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        command.output().context("cannot run vexilla")
    }

    fn arguments<'b>(flagr: &'b Flagr, more: &[&'b str]) -> Vec<&'b str> {
        let mut arguments = vec!["--flagr", flagr.http.base()];
        if !more.contains(&"--refresh-interval") {
            arguments.extend(["--refresh-interval", "100ms"]);
        }
        arguments.extend(base_arguments(more));
        arguments.extend(more);
        arguments
    }

    /// The answer to one evaluation, which must be the same from both.
    pub(super) fn agree(
        &self,
        vexilla: &Vexilla,
        flagr: &Flagr,
        question: &Value,
    ) -> Result<Value> {
        let path = if question.get("entities").is_some() { BATCH } else { EVALUATION };
        let ours = self.comparable(vexilla.http.post(path, question)?.json()?);
        let theirs = self.comparable(flagr.http.post(path, question)?.json()?);
        ensure!(ours == theirs, "asked {question}\n  Vexilla: {ours}\n  Flagr:   {theirs}");
        Ok(ours)
    }

    /// Waits until both give everybody this variant of a flag, or none.
    pub(super) fn until_both_give(
        &self,
        vexilla: &Vexilla,
        flagr: &Flagr,
        key: &str,
        variant: Option<&str>,
    ) -> Result<()> {
        self.interrupt.until("agreement", || {
            let answer = self.agree(vexilla, flagr, &question(key, "somebody"))?;
            given(&answer, variant)
        })
    }

    /// Waits until Flagr decides a flag by its newest snapshot: it may know a change before the number of that.
    pub(super) fn until_newest(&self, flagr: &Flagr, id: i64, key: &str) -> Result<()> {
        let newest = newest_snapshot(&flagr.http, id)?;
        self.interrupt.until("evaluation by the newest snapshot", || {
            let answer = flagr.http.post(EVALUATION, &question(key, "nobody"))?.json()?;
            let used = answer.get("flagSnapshotID").and_then(Value::as_i64);
            ensure!(used == Some(newest), "it is {newest}, and Flagr decides by {used:?}");
            Ok(())
        })
    }

    /// What Vexilla alone gives somebody.
    pub(super) fn ours(&self, vexilla: &Vexilla, key: &str, entity: &str) -> Result<Value> {
        let answer = vexilla.http.post(EVALUATION, &question(key, entity))?.json()?;
        Ok(self.comparable(answer))
    }

    /// Waits until both answer all of these alike.
    pub(super) fn until_they_agree(
        &self,
        vexilla: &Vexilla,
        flagr: &Flagr,
        questions: &[Value],
    ) -> Result<Vec<Value>> {
        self.interrupt.until("agreement", || {
            questions.iter().map(|it| self.agree(vexilla, flagr, it)).collect()
        })
    }

    fn comparable(&self, answer: Value) -> Value {
        comparable(answer, RESULTS.is_in(self.facts.version))
    }

    fn numbered(&self, name: &str) -> PathBuf {
        let number = self.started.get();
        self.started.set(number + 1);
        self.folder().join(format!("{number}-{name}"))
    }
}

/// Turns off what a scenario does not use, so that no default port or folder is shared.
fn base_arguments(more: &[&str]) -> Vec<&'static str> {
    let off = ["--archive", "--admin-listen", "--webhook-listen"];
    off.into_iter().filter(|it| !more.contains(it)).flat_map(|it| [it, "off"]).collect()
}

/// Asks for one flag and one entity in the United States.
pub(super) fn question(key: &str, entity: &str) -> Value {
    json!({ "flagKey": key, "entityID": entity, "entityContext": { "country": "US" } })
}

/// Fails unless the answer gives this variant.
pub(super) fn given(answer: &Value, variant: Option<&str>) -> Result<()> {
    let given = answer.get("variantKey").and_then(Value::as_str);
    ensure!(given == variant, "given is {given:?}, not {variant:?}: {answer}");
    Ok(())
}
