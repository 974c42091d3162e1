//! What the figures were taken on.

use std::fs;

use crate::command::program;

/// One sentence on the machine, the compiler and what was measured.
pub(super) fn about() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|it| model(&it));
    let processor = processor.unwrap_or_else(|| "an unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let compiler = said("rustc", &["--version"]);
    let commit = said("git", &["describe", "--always", "--dirty"]);
    format!("Measured on {processor}, {cores} cores, with {compiler}, at commit {commit}.")
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|it| it.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(name: &str, arguments: &[&str]) -> String {
    let output = program(name, arguments).output().ok().filter(|it| it.status.success());
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    text.filter(|it| !it.is_empty()).unwrap_or_else(|| format!("an unknown {name}"))
}
