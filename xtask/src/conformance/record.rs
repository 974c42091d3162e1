//! Recordings: what is kept as it stands, and what is written anew.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::command::ROOT;

/// A request and what Flagr answered.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Exchange {
    pub(super) request: Box<RawValue>,
    pub(super) status: u16,
    pub(super) response: Box<RawValue>,
}

impl Exchange {
    /// Takes this answer, and says whether it is another than before.
    pub(super) fn answered(&mut self, status: u16, body: &str) -> Result<bool> {
        let response = without_time(body)?;
        if status == self.status && same(&response, &self.response)? {
            return Ok(false);
        }
        self.status = status;
        self.response = response;
        Ok(true)
    }
}

pub(super) fn read(name: &str) -> Result<String> {
    let path = path(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

pub(super) fn write(name: &str, text: &str) -> Result<()> {
    let path = path(name);
    fs::write(&path, text).with_context(|| format!("cannot write {path}"))
}

fn path(name: &str) -> String {
    format!("{ROOT}/conformance/{name}")
}

/// An answer without its times, which no other answer can have. Every other text stays as Flagr wrote it.
fn without_time(body: &str) -> Result<Box<RawValue>> {
    type Members = BTreeMap<String, Box<RawValue>>;
    let read = |text: &str| -> Result<Members> {
        serde_json::from_str(text).with_context(|| format!("no object: {text}"))
    };
    let mut answer = read(body)?;
    answer.remove("timestamp");
    if let Some(results) = answer.get("evaluationResults") {
        let results: Vec<Box<RawValue>> = serde_json::from_str(results.get())?;
        let results: Vec<Members> = results
            .iter()
            .map(|it| {
                let mut result = read(it.get())?;
                result.remove("timestamp");
                Ok(result)
            })
            .collect::<Result<_>>()?;
        answer.insert("evaluationResults".to_owned(), serde_json::value::to_raw_value(&results)?);
    }
    Ok(serde_json::value::to_raw_value(&answer)?)
}

/// Whether two texts say the same, in whatever spacing.
fn same(one: &RawValue, other: &RawValue) -> Result<bool> {
    let value = |it: &RawValue| -> Result<Value> { Ok(serde_json::from_str(it.get())?) };
    Ok(value(one)? == value(other)?)
}

#[cfg(test)]
mod tests;
