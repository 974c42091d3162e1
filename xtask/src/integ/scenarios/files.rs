//! What reaches Flagr by its files.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::command::{ROOT, output_of};
use crate::integ::flagr::{Start, write_flags};
use crate::integ::stage::{Stage, given};

/// A bad row stops Flagr's own reload, so its export stays as it was; neither loses a flag.
pub(super) fn quarantine(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (bad, good) = (stage.key("bad"), stage.key("good"));
    let flag = flagr.rest().simple(&bad)?;
    let country = ["country", "EQ", r#""US""#];
    let constraint = flagr.rest().constraint(flag.id, flag.segment, country)?;
    let other = flagr.rest().simple(&good)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &bad, Some("on"))?;
    stage.until_both_give(&vexilla, &flagr, &good, Some("on"))?;

    let database = flagr.folder()?.join("flagr.sqlite");
    let sql = format!("UPDATE constraints SET value = '\"US' WHERE id = {constraint};");
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg("-cmd").arg(".timeout 5000").arg(&database).arg(&sql);
    output_of(&mut sqlite).context("the bad row is written by `sqlite3`")?;
    // Flagr looks again only when a snapshot is new.
    flagr.rest().change(flag.id, &json!({ "description": "bad now" }))?;
    flagr.rest().change(other.id, &json!({ "description": "good still" }))?;

    // That nothing is lost can only be watched for a while: here, for many of Vexilla's polls.
    let mut looks = 0;
    stage.interrupt.until("undisturbed flags", || {
        for key in [&bad, &good] {
            given(&stage.ours(&vexilla, key, "somebody")?, Some("on"))?;
        }
        looks += 1;
        ensure!(looks > 60, "only {looks} looks so far");
        Ok(())
    })?;

    flagr.rest().change_constraint(flag.id, flag.segment, constraint, country)?;
    flagr.rest().give(&flag, "off")?;
    flagr.rest().give(&other, "off")?;
    stage.until_both_give(&vexilla, &flagr, &bad, Some("off"))?;
    stage.until_both_give(&vexilla, &flagr, &good, Some("off"))
}

pub(super) fn eval_only(stage: &Stage<'_>) -> Result<()> {
    let key = stage.key("flag");
    let start = Start { flags: Some(document(&key, "on")), ..Start::default() };
    let flagr = stage.flagr_with(&start)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    write_flags(flagr.folder()?, &document(&key, "off"))?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("off"))
}

/// A flag that gives everybody one of two variants, with all the ids that old Flagrs need.
fn document(key: &str, variant: &str) -> String {
    let id = if variant == "on" { 1 } else { 2 };
    json!({ "Flags": [{
        "ID": 1, "Key": key, "Enabled": true, "SnapshotID": id,
        "Variants": [
            { "ID": 1, "FlagID": 1, "Key": "on" },
            { "ID": 2, "FlagID": 1, "Key": "off" },
        ],
        "Segments": [{
            "ID": 1, "FlagID": 1, "RolloutPercent": 100,
            "Distributions": [
                { "ID": 1, "SegmentID": 1, "VariantID": id, "VariantKey": variant, "Percent": 100 },
            ],
        }],
    }] })
    .to_string()
}

/// The flags and questions of the conformance recordings.
pub(super) fn recorded(stage: &Stage<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Recording {
        export: Box<RawValue>,
        evaluations: Vec<Recorded>,
        batches: Vec<Recorded>,
    }
    #[derive(Deserialize)]
    struct Recorded {
        request: Value,
    }

    let file = format!("{ROOT}/conformance/flags.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let recording: Recording = serde_json::from_str(&text).context("the recordings are no JSON")?;
    let export = recording.export.get().to_owned();
    let flagr = stage.flagr_with(&Start { flags: Some(export), ..Start::default() })?;
    let vexilla = stage.vexilla(&flagr)?;

    let mut asked = 0;
    for Recorded { request } in recording.evaluations.iter().chain(&recording.batches) {
        if has_entities(request) {
            ensure!(!stage.interrupt.is_told(), "interrupted");
            stage.agree(&vexilla, &flagr, request)?;
            asked += 1;
        }
    }
    ensure!(asked > 1_000, "only {asked} questions were asked");
    Ok(())
}

/// Whether each entity has an id; without one it gets a random one, and with it another answer each time.
fn has_entities(request: &Value) -> bool {
    let has_id =
        |it: &Value| it.get("entityID").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
    match request.get("entities").and_then(Value::as_array) {
        Some(entities) => entities.iter().all(has_id),
        None => has_id(request),
    }
}
