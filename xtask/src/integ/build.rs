//! The binary under test, and what it can do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use super::vexilla::Vexilla;
use crate::command::{built, cargo, output_of};
use crate::wait::Interrupt;

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

/// Those of these routes that a sidecar does not know.
pub(super) fn unknown_routes(
    program: &Path,
    base: &[&str],
    routes: &[&'static str],
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<&'static str>> {
    let file = folder.join("none.json");
    fs::write(&file, r#"{"Flags":[]}"#)?;
    let file = file.display().to_string();
    let arguments = [&["--flags", file.as_str()], base].concat();
    let vexilla = Vexilla::start(program, &arguments, &[], &folder.join("routes.log"), interrupt)?;
    let mut unknown = Vec::new();
    for route in routes {
        let status = vexilla.http.post(route, &json!({}))?.status;
        if matches!(status, 404 | 405 | 501) {
            unknown.push(*route);
        }
    }
    Ok(unknown)
}
