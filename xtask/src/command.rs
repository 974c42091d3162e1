//! Running other programs.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The root of the workspace, where everything is run.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A call of cargo, as if from a shell: what `cargo run` told us of our own package makes `ring`, which looks at it, and
/// all that is built on it, be built anew each time that the two take turns.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo", arguments);
    for (name, _) in env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|it| name.as_encoded_bytes().starts_with(it.as_bytes()));
        if of_package {
            command.env_remove(name);
        }
    }
    command
}

/// A call of any program. It never waits for somebody to type.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(ROOT).stdin(Stdio::null());
    command
}

/// Runs a command, which writes where we write.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    ensure!(status.success(), "{} ended with {status}", shown(command));
    Ok(())
}

/// Runs a command and hands over each line that it writes, as it comes. Both of its outputs go through one pipe, which
/// keeps them in order.
pub(crate) fn lines_of(mut command: Command, mut line: impl FnMut(&str)) -> Result<()> {
    let name = shown(&command);
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {name}"))?;
    drop(command); // it holds our end of the pipe, which would never close
    for bytes in BufReader::new(reader).split(b'\n') {
        line(&String::from_utf8_lossy(&bytes?));
    }
    let status = child.wait()?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Runs a command and gives its standard output.
pub(crate) fn output_of(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    ensure!(output.status.success(), "{} ended with {}", shown(command), output.status);
    Ok(output.stdout)
}

/// Runs a build by cargo, and gives the program that came of it.
pub(crate) fn built(command: &mut Command) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }

    let messages = output_of(command.args(["--message-format", "json-render-diagnostics"]))?;
    let messages = String::from_utf8(messages).context("cannot read what cargo says")?;
    let built = messages.lines().filter_map(|it| serde_json::from_str::<Message>(it).ok());
    built.filter_map(|it| it.executable).next_back().context("cargo built no program")
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" "))
}
