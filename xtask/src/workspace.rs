//! What cargo knows of the workspace.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{cargo, output_of};

/// All packages that the lock file brings, ours among them.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: BTreeSet<String>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) manifest_path: String,
    /// The registries it may go to; an empty list means that it is never published.
    pub(crate) publish: Option<Vec<String>>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package depends on, for whatever purpose: to run, to build, or to be tested.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Given for what lies in this repository.
    pub(crate) path: Option<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let metadata =
            output_of(&mut cargo(&["metadata", "--format-version", "1", "--all-features"]))?;
        serde_json::from_slice(&metadata).context("cannot read what `cargo metadata` says")
    }

    /// Our own packages.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|it| self.workspace_members.contains(&it.id))
    }
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }
}
