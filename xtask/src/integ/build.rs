//! The binary under test.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{built, cargo};

/// Builds `vexilla` and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    built(&mut cargo(&["build", "--package", "vexilla-cli"]))
}
