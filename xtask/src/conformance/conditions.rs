//! `conditions.jsonl` and `directed.jsonl`, asked of a Flagr with a database that nothing else is in.

use std::cell::Cell;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::record::{read, write};
use super::scratch::Scratch;
use super::style::Style;
use crate::http::Http;
use crate::wait::Interrupt;

/// A line of a file, in the order of its members.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    constraints: Vec<[String; 3]>,
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<Vec<Case>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Case {
    context: Box<RawValue>,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What Flagr made of a condition and a context.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    outcome: &'static str,
    error: Option<String>,
}

pub(super) fn record(
    scratch: &Scratch<'_>,
    name: &str,
    style: Style,
    interrupt: &Interrupt,
) -> Result<()> {
    let flagr = scratch.flagr;
    let text = read(name)?;
    let mut lines = Vec::new();
    let mut newest = 0;
    for text in text.lines() {
        ensure!(!interrupt.is_told(), "interrupted");
        let line: Line = serde_json::from_str(text).with_context(|| format!("no line: {text}"))?;
        let made = make(scratch, &line.constraints)?;
        newest = made.as_ref().ok().copied().unwrap_or(newest);
        lines.push((text, line, made));
    }
    interrupt.until("evaluation of the newest flag", || {
        let question = json!({ "flagID": newest, "entityID": "e", "enableDebug": true });
        outcome(&flagr.post("/api/v1/evaluation", &question)?.json()?).map(drop)
    })?;

    let changed = Cell::new(0);
    let mut recorded = String::new();
    for (text, mut line, made) in lines {
        ensure!(!interrupt.is_told(), "interrupted");
        if update(flagr, &mut line, made)? {
            changed.set(changed.get() + 1);
            recorded.push_str(&style.write(&line)?);
        } else {
            recorded.push_str(text);
        }
        recorded.push('\n');
    }
    println!("{name}: {} of {} lines have another outcome", changed.get(), text.lines().count());
    if changed.get() > 0 { write(name, &recorded) } else { Ok(()) }
}

/// Makes a flag with these constraints; its id, or the status of the first refusal.
fn make(scratch: &Scratch<'_>, constraints: &[[String; 3]]) -> Result<Result<i64, u16>> {
    let flagr = scratch.flagr;
    let id = |it: Value| it.get("id").and_then(Value::as_i64).context("no id");
    let flag = scratch.flag()?;
    let path = format!("/api/v1/flags/{flag}");
    let segment = json!({ "description": "condition", "rolloutPercent": 100 });
    let segment = id(flagr.post(&format!("{path}/segments"), &segment)?.json()?)?;
    for [property, operator, value] in constraints {
        let body = json!({ "property": property, "operator": operator, "value": value });
        let answer = flagr.post(&format!("{path}/segments/{segment}/constraints"), &body)?;
        if answer.status != 200 {
            return Ok(Err(answer.status));
        }
    }
    let variant = id(flagr.post(&format!("{path}/variants"), &json!({ "key": "on" }))?.json()?)?;
    let share = json!({ "variantID": variant, "variantKey": "on", "percent": 100 });
    let shares = json!({ "distributions": [share] });
    flagr.put(&format!("{path}/segments/{segment}/distributions"), &shares)?.ok()?;
    flagr.put(&format!("{path}/enabled"), &json!({ "enabled": true }))?.ok()?;
    Ok(Ok(flag))
}

/// Brings a line up to date, and says whether that changed it.
fn update(flagr: &Http, line: &mut Line, made: Result<i64, u16>) -> Result<bool> {
    let (accepted, status) = (made.is_ok(), made.as_ref().err().copied());
    let mut changed = accepted != line.accepted || status != line.status;
    (line.accepted, line.status) = (accepted, status);
    let Ok(flag) = made else {
        line.cases = None;
        return Ok(changed);
    };
    for case in line.cases.get_or_insert_default() {
        let context = case.context.get();
        let request = format!(
            r#"{{"flagID":{flag},"entityID":"e","enableDebug":true,"entityContext":{context}}}"#
        );
        let request = RawValue::from_string(request)?;
        let answer = flagr.post_raw("/api/v1/evaluation", &request)?.json()?;
        let Outcome { outcome, error } = outcome(&answer)?;
        changed |= case.outcome != outcome || case.error != error;
        outcome.clone_into(&mut case.outcome);
        case.error = error;
    }
    Ok(changed)
}

/// Reads Flagr's log of the one segment.
fn outcome(answer: &Value) -> Result<Outcome> {
    if answer.get("variantKey").is_some() {
        return Ok(Outcome { outcome: "match", error: None });
    }
    let message = answer.pointer("/evalDebugLog/segmentDebugLogs/0/msg").and_then(Value::as_str);
    let message = message.with_context(|| format!("no log of the segment in {answer}"))?;
    let none = |outcome| Ok(Outcome { outcome, error: None });
    if message.starts_with("constraint not match") {
        return none("no match");
    }
    if message.contains("but got invalid entity_context") {
        return none("no context");
    }
    Ok(Outcome { outcome: "error", error: Some(message.to_owned()) })
}

#[cfg(test)]
mod tests;
