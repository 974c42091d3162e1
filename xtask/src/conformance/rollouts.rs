//! `rollouts.jsonl`, asked of a Flagr that serves the flags it tells of from a file: the salt of a rollout is the id of
//! its flag, which no database would give again.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::record::{read, write};
use super::style::Style;
use crate::http::Http;
use crate::wait::Interrupt;

const NAME: &str = "rollouts.jsonl";

/// A line, in the order of its members.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    #[serde(rename = "flagID")]
    flag: u64,
    #[serde(rename = "rolloutPercent")]
    rollout: u64,
    /// Variant and percent.
    distributions: Vec<(String, u64)>,
    /// Entity and the variant it got.
    entities: Vec<(String, Option<String>)>,
}

fn lines(text: &str) -> impl Iterator<Item = Result<Line>> {
    text.lines().map(|it| serde_json::from_str(it).with_context(|| format!("no line: {it}")))
}

/// The flags as Flagr exports them.
pub(super) fn export() -> Result<String> {
    let flags: Vec<_> = lines(&read(NAME)?).map(|it| it?.flag()).collect::<Result<_>>()?;
    Ok(json!({ "Flags": flags }).to_string())
}

pub(super) fn record(flagr: &Http, interrupt: &Interrupt) -> Result<()> {
    let text = read(NAME)?;
    let (mut recorded, mut changed) = (String::new(), 0);
    for (before, line) in text.lines().zip(lines(&text)) {
        ensure!(!interrupt.is_told(), "interrupted");
        let mut line = line?;
        let answer = flagr.post("/api/v1/evaluation/batch", &line.question())?.json()?;
        if line.take(&answer)? {
            changed += 1;
            recorded.push_str(&Style::Spaced.write(&line)?);
        } else {
            recorded.push_str(before);
        }
        recorded.push('\n');
    }
    println!("{NAME}: {changed} of {} flags give another variant", text.lines().count());
    if changed > 0 { write(NAME, &recorded) } else { Ok(()) }
}

impl Line {
    /// The flag, with its distributions in the order in which Flagr reads them back: that of their variants' ids.
    fn flag(&self) -> Result<Value> {
        const NOW: &str = "2026-01-01T00:00:00Z";
        let flag = self.flag;
        let mut variants = Vec::new();
        for (key, percent) in &self.distributions {
            let number: Option<u64> = key.strip_prefix('v').and_then(|it| it.parse().ok());
            let number = number.with_context(|| format!("the variant `{key}` has no number"))?;
            variants.push((flag * 100 + number, key, percent));
        }
        variants.sort_unstable();
        let row = |id: u64, mut more: Value| {
            let times = json!({ "ID": id, "CreatedAt": NOW, "UpdatedAt": NOW, "DeletedAt": null });
            if let (Some(more), Value::Object(times)) = (more.as_object_mut(), times) {
                more.extend(times);
            }
            more
        };
        let variant = |(id, key, _): &(u64, &String, &u64)| {
            row(*id, json!({ "FlagID": flag, "Key": key, "Attachment": {} }))
        };
        let distribution = |(id, key, percent): &(u64, &String, &u64)| {
            let segment = flag;
            let share = json!({ "SegmentID": segment, "VariantID": id, "VariantKey": key, "Percent": percent });
            row(*id, share)
        };
        let segment = row(
            flag,
            json!({
                "FlagID": flag, "Description": "", "Rank": 999, "RolloutPercent": self.rollout,
                "Constraints": [],
                "Distributions": variants.iter().map(distribution).collect::<Vec<_>>(),
            }),
        );
        Ok(row(
            flag,
            json!({
                "Key": format!("rollout-{flag}"), "Description": "", "CreatedBy": "",
                "UpdatedBy": "", "Enabled": true, "Segments": [segment],
                "Variants": variants.iter().map(variant).collect::<Vec<_>>(),
                "Tags": [], "SnapshotID": flag, "Notes": "", "DataRecordsEnabled": false,
                "EntityType": "",
            }),
        ))
    }

    fn question(&self) -> Value {
        let entities: Vec<_> = self.entities.iter().map(|it| json!({ "entityID": it.0 })).collect();
        json!({ "entities": entities, "flagIDs": [self.flag] })
    }

    /// Takes the variants of an answer, and says whether one is another than before.
    fn take(&mut self, answer: &Value) -> Result<bool> {
        let results = answer.get("evaluationResults").and_then(Value::as_array);
        let results = results.context("no results")?;
        ensure!(results.len() == self.entities.len(), "not a result for each entity");
        let mut changed = false;
        for ((entity, variant), result) in self.entities.iter_mut().zip(results) {
            let asked = result.pointer("/evalContext/entityID").and_then(Value::as_str);
            ensure!(asked == Some(entity.as_str()), "a result of another entity than `{entity}`");
            let now = result.get("variantKey").and_then(Value::as_str).map(str::to_owned);
            changed |= *variant != now;
            *variant = now;
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
