//! Flagr away. The answers stay, and what changed meanwhile arrives afterwards.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::http::Http;
use crate::integ::flagr::Flagr;
use crate::integ::stage::{Stage, given};
use crate::integ::vexilla::Vexilla;

pub(super) fn stopped(stage: &Stage<'_>) -> Result<()> {
    outage(stage, Flagr::stop, Flagr::start_again)
}

pub(super) fn killed(stage: &Stage<'_>) -> Result<()> {
    outage(stage, Flagr::kill, Flagr::start_again)
}

pub(super) fn paused(stage: &Stage<'_>) -> Result<()> {
    outage(stage, Flagr::pause, Flagr::resume)
}

type Deed = fn(&mut Flagr) -> Result<()>;

fn outage(stage: &Stage<'_>, away: Deed, back: Deed) -> Result<()> {
    let mut flagr = stage.flagr()?;
    let (key, split) = (stage.key("flag"), stage.key("split"));
    let flag = flagr.rest().simple(&key)?;
    let split_id = flagr.rest().split(&split)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    // Until now Flagr decides the split alone; what stands in for it must have arrived too.
    stage.until_newest(&flagr, split_id, &split)?;
    stage.interrupt.until("the same flags", || {
        let [ours, theirs] = [&vexilla.http, &flagr.http].map(snapshots);
        ensure!(ours? == theirs?, "not all has arrived");
        Ok(())
    })?;
    let before = answers(stage, &vexilla, &key, &split)?;

    let logged = vexilla.logged();
    away(&mut flagr)?;
    vexilla.until_it_warns(logged)?;
    let now = answers(stage, &vexilla, &key, &split)?;
    for (before, now) in before.iter().zip(&now) {
        ensure!(now == before, "the outage changed {before} to {now}");
    }

    back(&mut flagr)?;
    flagr.rest().give(&flag, "off")?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("off"))
}

/// Which state of which flag a server exports.
fn snapshots(http: &Http) -> Result<BTreeMap<i64, i64>> {
    let export = http.get("/api/v1/export/eval_cache/json")?.json()?;
    let flags = export.get("Flags").and_then(Value::as_array).context("no flags")?;
    let number = |flag: &Value, name| flag.get(name).and_then(Value::as_i64).context("no number");
    flags.iter().map(|it| Ok((number(it, "ID")?, number(it, "SnapshotID")?))).collect()
}

fn answers(stage: &Stage<'_>, vexilla: &Vexilla, key: &str, split: &str) -> Result<Vec<Value>> {
    let mut answers = vec![stage.ours(vexilla, key, "somebody")?];
    for number in 0..20 {
        answers.push(stage.ours(vexilla, split, &format!("user-{number}"))?);
    }
    Ok(answers)
}

pub(super) fn start(stage: &Stage<'_>) -> Result<()> {
    let mut flagr = stage.flagr()?;
    flagr.rest().simple(&stage.key("flag"))?;
    flagr.kill()?;
    let said = stage.vexilla_fails(&flagr)?;
    ensure!(said.starts_with("error: "), "it says {said}");
    ensure!(said.contains(flagr.http.base()), "it does not tell which Flagr: {said}");
    Ok(())
}

pub(super) fn restart(stage: &Stage<'_>) -> Result<()> {
    let mut flagr = stage.flagr()?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let folder = stage.folder().join("archive");
    let folder = folder.display().to_string();
    let archive = ["--archive", folder.as_str()];

    let vexilla = stage.vexilla_with(&flagr, &archive, &[])?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    let before = stage.ours(&vexilla, &key, "somebody")?;
    vexilla.stop()?;
    flagr.kill()?;

    let vexilla = stage.vexilla_with(&flagr, &archive, &[])?;
    stage.interrupt.until("answer from the archive", || {
        let now = stage.ours(&vexilla, &key, "somebody")?;
        given(&now, Some("on"))?;
        ensure!(now == before, "the restart changed {before} to {now}");
        Ok(())
    })?;
    flagr.start_again()?;
    flagr.rest().give(&flag, "off")?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("off"))
}
