//! The binary under test, and what it can do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::command::{built, cargo, output_of};

/// Builds `vexilla` and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    built(&mut cargo(&["build", "--package", "vexilla-cli"]))
}

/// What `vexilla serve --help` prints.
pub(super) fn help(program: &Path) -> Result<String> {
    let mut help = Command::new(program);
    help.args(["serve", "--help"]).stdin(Stdio::null());
    String::from_utf8(output_of(&mut help)?).context("the help is no text")
}
