//! What is built for.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::{output_of, program};

/// A target of the compiler that is installed.
#[derive(Debug)]
pub(super) struct Target(String);

impl Target {
    /// The one that was asked for, or this machine. On Linux that is usually glibc, whose allocator serves several
    /// threads better than musl's.
    pub(super) fn chosen(asked: Option<&str>) -> Result<Self> {
        let target = match asked {
            Some(triple) => Self(triple.to_owned()),
            None => Self(host()?),
        };
        let asked = ["--print", "target-libdir", "--target", target.triple()];
        let folder = String::from_utf8(output_of(&mut program("rustc", &asked))?)?;
        ensure!(
            Path::new(folder.trim()).is_dir(),
            "{0} is not installed: `rustup target add {0}`",
            target.triple()
        );
        Ok(target)
    }

    pub(super) fn triple(&self) -> &str {
        &self.0
    }

    /// Whether its binary is to need nothing beside it. Other systems want their own libraries to be used.
    pub(super) fn is_static(&self) -> bool {
        self.0.contains("-linux-")
    }

    pub(super) fn program(&self) -> String {
        let extension = if self.0.contains("-windows-") { ".exe" } else { "" };
        format!("vexilla{extension}")
    }
}

fn host() -> Result<String> {
    let said = String::from_utf8(output_of(&mut program("rustc", &["-vV"]))?)?;
    let host = said.lines().find_map(|it| it.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}

#[cfg(test)]
mod tests;
