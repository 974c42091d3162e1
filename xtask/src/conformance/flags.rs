//! `flags.json`, asked of a Flagr that serves the recorded flags from a file.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{Exchange, read, write};
use crate::http::Http;

const NAME: &str = "flags.json";

/// The file, in the order of its members.
#[derive(Debug, Deserialize, Serialize)]
struct Recording {
    export: Box<RawValue>,
    /// From the REST API of the database that the export is of; one that serves a file does not have it.
    flags: Box<RawValue>,
    evaluations: Vec<Exchange>,
    batches: Vec<Exchange>,
}

/// The flags of an export, by id and snapshot.
fn ids(export: &str) -> Result<BTreeSet<(u64, u64)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Export {
        flags: Vec<Flag>,
    }
    #[derive(Deserialize)]
    struct Flag {
        #[serde(rename = "ID")]
        id: u64,
        #[serde(rename = "SnapshotID")]
        snapshot: u64,
    }

    let export: Export = serde_json::from_str(export).context("cannot read the export")?;
    Ok(export.flags.iter().map(|it| (it.id, it.snapshot)).collect())
}

pub(super) fn record(flagr: &Http) -> Result<()> {
    let mut recording: Recording =
        serde_json::from_str(&read(NAME)?).with_context(|| format!("cannot read {NAME}"))?;
    let export = flagr.get("/api/v1/export/eval_cache/json")?.ok()?;
    ensure!(
        ids(&export.body)? == ids(recording.export.get())?,
        "this Flagr holds other flags than the export in {NAME}"
    );

    let evaluations = again(flagr, "/api/v1/evaluation", &mut recording.evaluations)?;
    let batches = again(flagr, "/api/v1/evaluation/batch", &mut recording.batches)?;
    println!(
        "{NAME}: {evaluations} of {} evaluations and {batches} of {} batches have another answer",
        recording.evaluations.len(),
        recording.batches.len()
    );
    if evaluations + batches > 0 {
        write(NAME, &serde_json::to_string(&recording)?)?;
    }
    Ok(())
}

/// Asks again what has one answer, and counts those that are others now.
fn again(flagr: &Http, path: &str, exchanges: &mut [Exchange]) -> Result<usize> {
    let mut changed = 0;
    for exchange in exchanges {
        if has_chance(exchange) {
            continue;
        }
        let answer = flagr.post_raw(path, &exchange.request)?;
        changed += usize::from(exchange.answered(answer.status, &answer.body)?);
    }
    Ok(changed)
}

/// Whether each answer is another one: an entity got a random id, or flags were found by tag, in a random order.
fn has_chance(exchange: &Exchange) -> bool {
    exchange.response.get().contains("randomly_generated_")
        || exchange.request.get().contains("\"flagTags\"")
}
