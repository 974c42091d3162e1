//! Installing what a lock file pins, into a folder of its own below `target/clients`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::process::{end_of, output_within};
use crate::command::ROOT;
use crate::wait::Interrupt;

/// How long a registry may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Written last, so that a folder without it, or with another one, is not whole.
const STAMP: &str = "installed";

/// What a suite runs on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Runtime {
    Node,
    Python,
}

impl Runtime {
    /// The programs that must be there, by any of these names.
    fn programs(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Node => &[&["node"], &["npm"]],
            Self::Python => &[&["python3", "python"]],
        }
    }

    /// What is missing to run it here.
    pub(super) fn missing(self) -> Option<&'static str> {
        let missing = self.programs().iter().find(|names| present(names).is_none())?;
        missing.first().copied()
    }

    fn lock(self) -> &'static str {
        match self {
            Self::Node => "package-lock.json",
            Self::Python => "requirements.txt",
        }
    }

    /// Copies `xtask/clients/FOLDER` below the target folder, installs what it pins unless that was done before, and
    /// says where it is.
    pub(super) fn install(self, folder: &str, interrupt: &Interrupt) -> Result<PathBuf> {
        let from = Path::new(ROOT).join("xtask/clients").join(folder);
        let to = Path::new(ROOT).join("target/clients").join(folder);
        fs::create_dir_all(&to).with_context(|| format!("cannot create {}", to.display()))?;
        let to = to.canonicalize()?;
        for entry in fs::read_dir(&from).with_context(|| from.display().to_string())? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        let lock = fs::read_to_string(to.join(self.lock()))?;
        let stamp = to.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|it| it == lock) {
            return Ok(to);
        }
        println!("-- installing {folder}");
        for mut command in self.commands(&to) {
            let log = to.join("install.log");
            let (status, written) =
                output_within(LIMIT, command.current_dir(&to), &log, interrupt)?;
            let name = command.get_program().to_string_lossy().into_owned();
            ensure!(status.success(), "`{name}` ended with {status}: {}", end_of(&written));
        }
        fs::write(stamp, lock)?;
        Ok(to)
    }

    fn commands(self, folder: &Path) -> Vec<Command> {
        let command = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        };
        match self {
            // Nothing that a package wants to run while it is installed is run.
            Self::Node => vec![command(
                Path::new("npm"),
                &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            )],
            Self::Python => {
                let python = self.programs().iter().find_map(|it| present(it)).unwrap_or("python3");
                let pip = program_of(folder, "python");
                let install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:"];
                let pinned = ["--require-hashes", "--requirement", "requirements.txt"];
                vec![
                    command(Path::new(python), &["-m", "venv", "--clear", "environment"]),
                    command(&pip, &[&install[..], &pinned].concat()),
                ]
            }
        }
    }

    /// A command of what was installed in this folder.
    pub(super) fn command(self, folder: &Path, program: &str) -> Command {
        let mut command = match self {
            Self::Node => Command::new(program),
            Self::Python => Command::new(program_of(folder, program)),
        };
        command.current_dir(folder);
        command
    }
}

/// A program of the virtual environment in this folder.
fn program_of(folder: &Path, name: &str) -> PathBuf {
    let folder = folder.join("environment");
    if cfg!(windows) {
        folder.join("Scripts").join(format!("{name}.exe"))
    } else {
        folder.join("bin").join(name)
    }
}

/// The first of these programs that is there.
fn present(names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| {
        let mut version = Command::new(name);
        version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|it| it.success())
    })
}
