//! The flags that a Flagr must serve from a file (`FLAGR_DB_DBDRIVER=json_file`) so that it can answer a recording.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;

use super::{flags, record, rollouts};

/// A recording that a Flagr in eval-only mode answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Served {
    #[value(name = "flags.json")]
    Flags,
    #[value(name = "rollouts.jsonl")]
    Rollouts,
    #[value(name = "queries.jsonl")]
    Queries,
    #[value(name = "post-errors.jsonl")]
    PostErrors,
}

impl Served {
    pub(super) const ALL: [Self; 4] =
        [Self::Flags, Self::Rollouts, Self::Queries, Self::PostErrors];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flags => "flags.json",
            Self::Rollouts => "rollouts.jsonl",
            Self::Queries => "queries.jsonl",
            Self::PostErrors => "post-errors.jsonl",
        }
    }

    /// The flags as Flagr exports them.
    pub(super) fn export(self) -> Result<String> {
        match self {
            Self::Flags => flags::export(),
            Self::Rollouts => rollouts::export(),
            Self::Queries => {
                let text = record::read(self.name())?;
                text.lines().next().map(str::to_owned).context("queries.jsonl is empty")
            }
            // The recording does not hold them; they are made so that they give what it says of them.
            Self::PostErrors => Ok(include_str!("served/post-errors.json").to_owned()),
        }
    }

    /// The recording that is asked about these flags.
    pub(super) fn with_flags_of(export: &str) -> Result<Option<Self>> {
        let served = flags_of(export)?;
        for it in Self::ALL {
            if flags_of(&it.export()?)? == served {
                return Ok(Some(it));
            }
        }
        Ok(None)
    }
}

/// The flags of an export, by id, key and snapshot.
fn flags_of(export: &str) -> Result<BTreeSet<(u64, String, u64)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Export {
        flags: Vec<Flag>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Flag {
        #[serde(rename = "ID")]
        id: u64,
        key: String,
        #[serde(rename = "SnapshotID")]
        snapshot: u64,
    }

    let export: Export = serde_json::from_str(export).context("cannot read the export")?;
    Ok(export.flags.into_iter().map(|it| (it.id, it.key, it.snapshot)).collect())
}

#[cfg(test)]
mod tests;
