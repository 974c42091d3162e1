//! `flags.json`, asked of a Flagr that serves the recorded flags from a file.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{Exchange, read, write};
use super::style::Style;
use crate::http::Http;
use crate::wait::Interrupt;

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

fn recording() -> Result<Recording> {
    serde_json::from_str(&read(NAME)?).with_context(|| format!("cannot read {NAME}"))
}

/// The flags as Flagr exports them.
pub(super) fn export() -> Result<String> {
    Ok(recording()?.export.get().to_owned())
}

pub(super) fn record(flagr: &Http, interrupt: &Interrupt) -> Result<()> {
    let mut recording = recording()?;
    let evaluations = again(flagr, interrupt, "/api/v1/evaluation", &mut recording.evaluations)?;
    let batches = again(flagr, interrupt, "/api/v1/evaluation/batch", &mut recording.batches)?;
    println!(
        "{NAME}: {evaluations} of {} evaluations and {batches} of {} batches have another answer",
        recording.evaluations.len(),
        recording.batches.len()
    );
    if evaluations + batches > 0 {
        write(NAME, &Style::Spaced.write(&recording)?)?;
    }
    Ok(())
}

/// Asks again what has one answer, and counts those that are others now.
fn again(
    flagr: &Http,
    interrupt: &Interrupt,
    path: &str,
    exchanges: &mut [Exchange],
) -> Result<usize> {
    let mut changed = 0;
    for exchange in exchanges {
        ensure!(!interrupt.is_told(), "interrupted");
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
