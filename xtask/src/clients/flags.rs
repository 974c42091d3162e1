//! The flags that the clients ask for: `xtask/clients/flags.json`, in the shape of Flagr's export.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::command::ROOT;
use crate::http::Http;
use crate::integ::Rest;

const FILE: &str = "xtask/clients/flags.json";

/// The flags, with keys and tags that no other run has.
#[derive(Debug)]
pub(crate) struct Flags {
    prefix: String,
    all: All,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct All {
    flags: Vec<Flag>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Flag {
    #[serde(rename = "ID")]
    id: i64,
    key: String,
    enabled: bool,
    #[serde(default)]
    tags: Vec<Tag>,
    variants: Vec<Variant>,
    segments: Vec<Segment>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    #[serde(rename = "ID")]
    id: i64,
    value: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    #[serde(rename = "ID")]
    id: i64,
    key: String,
    attachment: Value,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    #[serde(rename = "ID")]
    id: i64,
    rollout_percent: u8,
    #[serde(default)]
    constraints: Vec<Constraint>,
    distributions: Vec<Distribution>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Constraint {
    property: String,
    operator: String,
    value: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    #[serde(rename = "VariantID")]
    variant_id: i64,
    variant_key: String,
    percent: u8,
}

impl Flags {
    pub(super) fn with_prefix(prefix: String) -> Result<Self> {
        let text = fs::read_to_string(Path::new(ROOT).join(FILE)).context(FILE)?;
        Self::read(&text, prefix).context(FILE)
    }

    /// Reads them, and puts this before each key and tag.
    pub(crate) fn read(text: &str, prefix: String) -> Result<Self> {
        let mut all: All = serde_json::from_str(text)?;
        for flag in &mut all.flags {
            flag.key.insert_str(0, &prefix);
            for tag in &mut flag.tags {
                tag.value.insert_str(0, &prefix);
            }
        }
        Ok(Self { prefix, all })
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key that a flag has in this run.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Them as Flagr exports them.
    pub(crate) fn to_text(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.all)?)
    }

    /// Writes them as a file for a Vexilla without Flagr.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, self.to_text()?).context("cannot write the flags")
    }

    /// Makes them in a Flagr, which gives them ids of its own.
    pub(crate) fn make(&self, rest: Rest<'_>) -> Result<()> {
        for flag in &self.all.flags {
            let id = rest.flag(&flag.key)?;
            let mut variants = BTreeMap::new();
            for variant in &flag.variants {
                let made = rest.variant_with(id, &variant.key, &variant.attachment)?;
                variants.insert(variant.id, made);
            }
            for segment in &flag.segments {
                let made = rest.segment(id, segment.rollout_percent)?;
                for Constraint { property, operator, value } in &segment.constraints {
                    rest.constraint(id, made, [property, operator, value])?;
                }
                let mut shares = Vec::new();
                for Distribution { variant_id, variant_key, percent } in &segment.distributions {
                    let variant = variants.get(variant_id).context("there is no such variant")?;
                    shares.push((*variant, &**variant_key, *percent));
                }
                rest.distribute(id, made, &shares)?;
            }
            for tag in &flag.tags {
                rest.tag(id, &tag.value)?;
            }
            rest.enable(id, flag.enabled)?;
        }
        Ok(())
    }

    /// Fails unless a server evaluates each of them, in the state that it has in the end.
    pub(crate) fn are_all_known_to(&self, http: &Http) -> Result<()> {
        let keys: Vec<_> = self.all.flags.iter().map(|it| &it.key).collect();
        let question = json!({ "entities": [{ "entityID": "somebody" }], "flagKeys": keys });
        let answer = http.post("/api/v1/evaluation/batch", &question)?.json()?;
        let results = answer.get("evaluationResults").and_then(Value::as_array);
        let results = results.context("a batch without results")?;
        for (flag, result) in self.all.flags.iter().zip(results) {
            ensure!(result.get("flagID").is_some(), "`{}` is unknown", flag.key);
            let log = result.pointer("/evalDebugLog/msg").and_then(Value::as_str);
            let is_disabled = log.is_some_and(|it| it.ends_with("is not enabled"));
            ensure!(is_disabled != flag.enabled, "`{}` is not in its last state", flag.key);
        }
        Ok(())
    }
}
