//! Recordings: what is kept as it stands, and what is written anew.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use super::style::spaced;
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

/// Puts the new text in the place of the old one, which stays whole until then.
pub(super) fn write(name: &str, text: &str) -> Result<()> {
    let path = path(name);
    replace(Path::new(&path), text).with_context(|| format!("cannot write {path}"))
}

fn replace(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("it is in no folder")?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
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
    Ok(RawValue::from_string(spaced(&serde_json::to_string(&answer)?))?)
}

/// Whether two texts say the same, in whatever spacing.
fn same(one: &RawValue, other: &RawValue) -> Result<bool> {
    let value = |it: &RawValue| -> Result<Value> { Ok(serde_json::from_str(it.get())?) };
    Ok(value(one)? == value(other)?)
}

#[cfg(test)]
mod tests;
