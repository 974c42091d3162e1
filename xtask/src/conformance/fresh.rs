//! A Flagr whose database never held a flag: ids begin at 1, as they did when a recording was made.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::same::same;
use crate::http::Http;
use crate::integ::newest_snapshot;
use crate::wait::Interrupt;

const EXPORT: &str = "/api/v1/export/eval_cache/json";

/// An empty Flagr.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    flagr: &'a Http,
    interrupt: &'a Interrupt,
}

/// Flags as Flagr exports them: what of them can be made by its API.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Export {
    flags: Vec<Flag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Flag {
    #[serde(rename = "ID")]
    id: i64,
    key: String,
    description: String,
    enabled: bool,
    segments: Vec<Segment>,
    variants: Vec<Variant>,
    tags: Vec<Tag>,
    #[serde(rename = "SnapshotID")]
    snapshot: i64,
    notes: String,
    data_records_enabled: bool,
    entity_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    description: String,
    rollout_percent: i64,
    constraints: Vec<Constraint>,
    distributions: Vec<Distribution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Constraint {
    property: String,
    operator: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    #[serde(rename = "VariantID")]
    variant: i64,
    variant_key: String,
    percent: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    key: String,
    attachment: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    value: String,
}

impl<'a> Fresh<'a> {
    /// Fails where there are flags, or were: their ids are not given again.
    pub(super) fn of(flagr: &'a Http, interrupt: &'a Interrupt) -> Result<Self> {
        let newest = flagr.get("/api/v1/flags/snapshots/max_id")?.json()?;
        ensure!(
            newest == json!({}),
            "this Flagr has held flags, and what is asked begins with the first id: give it a new database"
        );
        Ok(Self { flagr, interrupt })
    }

    /// Makes the flags of an export, and waits until evaluations know them. What comes of them is the same export, but
    /// for its times.
    pub(super) fn make(&self, export: &str) -> Result<()> {
        let Export { mut flags } =
            serde_json::from_str(export).context("cannot read the export")?;
        flags.sort_unstable_by_key(|it| it.id);
        for flag in &flags {
            ensure!(!self.interrupt.is_told(), "interrupted");
            self.make_one(flag).with_context(|| format!("cannot make the flag `{}`", flag.key))?;
        }
        self.settle()?;
        let made = self.flagr.get(EXPORT)?.ok()?.body;
        ensure!(
            same(export.trim_end(), made.trim_end(), ""),
            "other flags came of what was made than were recorded: {made}"
        );
        Ok(())
    }

    fn make_one(&self, flag: &Flag) -> Result<()> {
        let flagr = self.flagr;
        let id = |it: Value| it.get("id").and_then(Value::as_i64).context("no id");
        loop {
            let wanted = json!({ "description": flag.description, "key": flag.key });
            let made = id(flagr.post("/api/v1/flags", &wanted)?.json()?)?;
            if made == flag.id {
                break;
            }
            ensure!(made < flag.id, "it is the flag {made}, not {}", flag.id);
            // The recorded one had a neighbour that was deleted. Its key is free only once it has another.
            let path = format!("/api/v1/flags/{made}");
            flagr.put(&path, &json!({ "key": format!("left-out-{made}") }))?.ok()?;
            flagr.delete(&path)?.ok()?;
        }
        let path = format!("/api/v1/flags/{}", flag.id);
        for Variant { key, attachment } in &flag.variants {
            let key = serde_json::to_string(key)?;
            let body = format!("{{\"key\":{key},\"attachment\":{}}}", attachment.get());
            flagr.post_raw(&format!("{path}/variants"), &RawValue::from_string(body)?)?.ok()?;
        }
        for segment in &flag.segments {
            self.make_segment(&path, segment)?;
        }
        for Tag { value } in &flag.tags {
            flagr.post(&format!("{path}/tags"), &json!({ "value": value }))?.ok()?;
        }
        if flag.data_records_enabled || !flag.entity_type.is_empty() || !flag.notes.is_empty() {
            let more = json!({
                "dataRecordsEnabled": flag.data_records_enabled,
                "entityType": flag.entity_type, "notes": flag.notes,
            });
            flagr.put(&path, &more)?.ok()?;
        }
        // Each change makes a snapshot; how many the recorded flag had is known, not which.
        loop {
            let newest = newest_snapshot(self.flagr, flag.id)?;
            let is_as_wanted = self.is_enabled(&path)? == flag.enabled;
            if newest == flag.snapshot && is_as_wanted {
                return Ok(());
            }
            ensure!(newest < flag.snapshot, "it is at snapshot {newest}, not {}", flag.snapshot);
            flagr.put(&format!("{path}/enabled"), &json!({ "enabled": flag.enabled }))?.ok()?;
        }
    }

    fn make_segment(&self, path: &str, segment: &Segment) -> Result<()> {
        let flagr = self.flagr;
        let body = json!({ "description": segment.description, "rolloutPercent": segment.rollout_percent });
        let made = flagr.post(&format!("{path}/segments"), &body)?.json()?;
        let made = made.get("id").and_then(Value::as_i64).context("a new segment has no id")?;
        let path = format!("{path}/segments/{made}");
        for Constraint { property, operator, value } in &segment.constraints {
            let body = json!({ "property": property, "operator": operator, "value": value });
            flagr.post(&format!("{path}/constraints"), &body)?.ok()?;
        }
        let share = |it: &Distribution| json!({ "variantID": it.variant, "variantKey": it.variant_key, "percent": it.percent });
        let shares: Vec<_> = segment.distributions.iter().map(share).collect();
        if !shares.is_empty() {
            let body = json!({ "distributions": shares });
            flagr.put(&format!("{path}/distributions"), &body)?.ok()?;
        }
        Ok(())
    }

    /// Waits until evaluations know each flag as it stands.
    pub(super) fn settle(&self) -> Result<()> {
        let mut stored = BTreeSet::new();
        for id in self.ids()? {
            stored.insert((id, newest_snapshot(self.flagr, id)?));
        }
        self.interrupt.until("evaluation of the newest flags", || {
            let export = self.flagr.get(EXPORT)?.ok()?;
            let Export { flags } = serde_json::from_str(&export.body)?;
            let known: BTreeSet<_> = flags.iter().map(|it| (it.id, it.snapshot)).collect();
            if known == stored { Ok(()) } else { bail!("evaluations know {known:?}") }
        })
    }

    /// Deletes every flag; there was none before.
    pub(super) fn clear(&self) -> Result<()> {
        for id in self.ids()? {
            self.flagr.delete(&format!("/api/v1/flags/{id}"))?.ok()?;
        }
        Ok(())
    }

    fn ids(&self) -> Result<Vec<i64>> {
        let flags = self.flagr.get("/api/v1/flags")?.json()?;
        let flags = flags.as_array().context("no list of flags")?;
        Ok(flags.iter().filter_map(|it| it.get("id")?.as_i64()).collect())
    }

    fn is_enabled(&self, path: &str) -> Result<bool> {
        let flag = self.flagr.get(path)?.json()?;
        flag.get("enabled").and_then(Value::as_bool).context("a flag does not say if it is on")
    }
}
