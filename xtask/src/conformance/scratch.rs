//! A Flagr that was empty, and is again once its answers are recorded.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::Http;

/// The flags that were made here.
#[derive(Debug)]
pub(super) struct Scratch<'a> {
    pub(super) flagr: &'a Http,
    made: RefCell<Vec<i64>>,
}

impl<'a> Scratch<'a> {
    /// Fails where somebody keeps flags: a recording writes thousands beside them.
    pub(super) fn of(flagr: &'a Http) -> Result<Self> {
        let present = flagr.get("/api/v1/flags?limit=1")?.json()?;
        ensure!(
            present == json!([]),
            "this Flagr holds flags, and a recording makes thousands: give it one with an empty database"
        );
        Ok(Self { flagr, made: RefCell::default() })
    }

    /// Makes a flag.
    pub(super) fn flag(&self) -> Result<i64> {
        let flag = json!({ "description": "condition" });
        let flag = self.flagr.post("/api/v1/flags", &flag)?.json()?;
        let id = flag.get("id").and_then(Value::as_i64).context("a new flag has no id")?;
        self.made.borrow_mut().push(id);
        Ok(id)
    }

    /// Deletes each flag that was made, also after a failure or Ctrl-C, and goes on where one cannot be deleted.
    pub(super) fn remove(self) -> Result<()> {
        let made = self.made.into_inner();
        let delete = |id: &i64| self.flagr.delete(&format!("/api/v1/flags/{id}"))?.ok().map(drop);
        let failures: Vec<_> = made.iter().filter_map(|id| delete(id).err()).collect();
        let (left, all) = (failures.len(), made.len());
        match failures.into_iter().next() {
            Some(first) => {
                Err(first.context(format!("{left} of {all} flags that were made are left")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
