//! Making and changing flags over Flagr's REST API.

use std::cell::RefCell;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::Http;

/// The flags of a Flagr, or of a Vexilla that passes changes on to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest<'a> {
    http: &'a Http,
    made: &'a RefCell<Vec<i64>>,
}

/// The number of a flag's newest snapshot.
pub(crate) fn newest_snapshot(http: &Http, flag: i64) -> Result<i64> {
    let newest = http.get(&path(&format!("/{flag}/snapshots?limit=1")))?.json()?;
    newest.pointer("/0/id").and_then(Value::as_i64).context("a flag has no snapshot")
}

/// A flag with the variants `on` and `off` and one segment that gives everybody `on`.
#[derive(Debug)]
pub(crate) struct Simple {
    pub(crate) id: i64,
    pub(crate) segment: i64,
    on: i64,
    off: i64,
}

impl<'a> Rest<'a> {
    pub(super) fn new(http: &'a Http, made: &'a RefCell<Vec<i64>>) -> Self {
        Self { http, made }
    }

    /// The same flags, by way of somebody who passes changes on.
    pub(crate) fn through<'b>(self, http: &'b Http) -> Rest<'b>
    where
        'a: 'b,
    {
        Rest { http, made: self.made }
    }

    /// A disabled flag without anything.
    pub(crate) fn flag(self, key: &str) -> Result<i64> {
        let id = self.made("", &json!({ "key": key, "description": key }))?;
        self.made.borrow_mut().push(id);
        Ok(id)
    }

    pub(crate) fn variant(self, flag: i64, key: &str) -> Result<i64> {
        self.variant_with(flag, key, &json!({ "value": key }))
    }

    pub(crate) fn variant_with(self, flag: i64, key: &str, attachment: &Value) -> Result<i64> {
        self.made(&format!("/{flag}/variants"), &json!({ "key": key, "attachment": attachment }))
    }

    pub(crate) fn segment(self, flag: i64, rollout: u8) -> Result<i64> {
        let body = json!({ "description": "segment", "rolloutPercent": rollout });
        self.made(&format!("/{flag}/segments"), &body)
    }

    pub(crate) fn constraint(self, flag: i64, segment: i64, constraint: [&str; 3]) -> Result<i64> {
        self.made(&format!("/{flag}/segments/{segment}/constraints"), &condition(constraint))
    }

    pub(crate) fn change_constraint(
        self,
        flag: i64,
        segment: i64,
        id: i64,
        constraint: [&str; 3],
    ) -> Result<()> {
        let path = format!("/{flag}/segments/{segment}/constraints/{id}");
        self.put(&path, &condition(constraint))
    }

    /// Shares of variants: id, key, percent.
    pub(crate) fn distribute(
        self,
        flag: i64,
        segment: i64,
        shares: &[(i64, &str, u8)],
    ) -> Result<()> {
        let share = |(id, key, percent): &(i64, &str, u8)| json!({ "variantID": id, "variantKey": key, "percent": percent });
        let shares: Vec<Value> = shares.iter().map(share).collect();
        let path = format!("/{flag}/segments/{segment}/distributions");
        self.put(&path, &json!({ "distributions": shares }))
    }

    pub(crate) fn enable(self, flag: i64, enabled: bool) -> Result<()> {
        self.put(&format!("/{flag}/enabled"), &json!({ "enabled": enabled }))
    }

    /// Changes members of a flag: its key, its description, …
    pub(crate) fn change(self, flag: i64, members: &Value) -> Result<()> {
        self.put(&format!("/{flag}"), members)
    }

    pub(crate) fn delete(self, flag: i64) -> Result<()> {
        self.http.delete(&path(&format!("/{flag}")))?.ok().map(drop)
    }

    pub(crate) fn tag(self, flag: i64, value: &str) -> Result<i64> {
        self.made(&format!("/{flag}/tags"), &json!({ "value": value }))
    }

    pub(crate) fn untag(self, flag: i64, tag: i64) -> Result<()> {
        self.http.delete(&path(&format!("/{flag}/tags/{tag}")))?.ok().map(drop)
    }

    /// An enabled flag that gives everybody `on`.
    pub(crate) fn simple(self, key: &str) -> Result<Simple> {
        let id = self.flag(key)?;
        let on = self.variant(id, "on")?;
        let off = self.variant(id, "off")?;
        let segment = self.segment(id, 100)?;
        let simple = Simple { id, segment, on, off };
        self.give(&simple, "on")?;
        self.enable(id, true)?;
        Ok(simple)
    }

    /// Gives everybody this variant of a simple flag, `on` or `off`.
    pub(crate) fn give(self, flag: &Simple, variant: &str) -> Result<()> {
        let id = if variant == "on" { flag.on } else { flag.off };
        self.distribute(flag.id, flag.segment, &[(id, variant, 100)])
    }

    /// An enabled flag that gives 70 % of the United States `a` or `b`, and 40 % of all others `b`.
    pub(crate) fn split(self, key: &str) -> Result<i64> {
        let id = self.flag(key)?;
        let a = self.variant(id, "a")?;
        let b = self.variant(id, "b")?;
        let first = self.segment(id, 70)?;
        self.constraint(id, first, ["country", "EQ", r#""US""#])?;
        self.distribute(id, first, &[(a, "a", 50), (b, "b", 50)])?;
        let rest = self.segment(id, 40)?;
        self.distribute(id, rest, &[(b, "b", 100)])?;
        self.enable(id, true)?;
        Ok(id)
    }

    /// Posts, and gives the id of what was made.
    fn made(self, below: &str, body: &Value) -> Result<i64> {
        let made = self.http.post(&path(below), body)?.json()?;
        made.get("id").and_then(Value::as_i64).context("Flagr made something without an id")
    }

    fn put(self, below: &str, body: &Value) -> Result<()> {
        self.http.put(&path(below), body)?.ok().map(drop)
    }
}

fn path(below: &str) -> String {
    format!("/api/v1/flags{below}")
}

fn condition([property, operator, value]: [&str; 3]) -> Value {
    json!({ "property": property, "operator": operator, "value": value })
}
