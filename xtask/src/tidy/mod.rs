//! Our own rules, as far as a program can check them. `CONTRIBUTING.md` says what they are for.

use std::fs;
use std::io;

use anyhow::{Context, Result, ensure};

use crate::command::{ROOT, cargo, output_of, program};
use crate::workspace::Workspace;

mod edges;
mod manifests;
mod msrv;
mod sources;
#[cfg(test)]
mod tests;

/// Checks everything and reports everything, so that one run is enough to know what is to be done.
pub(crate) fn check(verbose: bool) -> Result<()> {
    let workspace = Workspace::load()?;
    let mut findings = Vec::new();

    for package in workspace.ours() {
        let ours =
            package.dependencies.iter().filter(|it| it.path.is_some()).map(|it| it.name.as_str());
        findings.extend(edges::of(&package.name, ours));
        let manifest = fs::read_to_string(&package.manifest_path)
            .with_context(|| format!("cannot read {}", package.manifest_path))?;
        findings.extend(manifests::of(package, &manifest));
    }
    let tree = output_of(&mut cargo(&[
        "tree",
        "--package",
        "vexilla-eval",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    findings.extend(edges::not_alone("vexilla-eval", &String::from_utf8_lossy(&tree)));
    findings.extend(msrv::too_new(&workspace));
    findings.extend(in_files(verbose)?);

    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} found", findings.len());
    Ok(())
}

/// What is wrong with the files that git knows or would take.
fn in_files(verbose: bool) -> Result<Vec<String>> {
    let listed = output_of(&mut program(
        "git",
        &["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    ))?;
    let listed = String::from_utf8(listed).context("a file name is not UTF-8")?;
    let mut findings = Vec::new();
    for path in listed.split_terminator('\0') {
        let bytes = match fs::read(format!("{ROOT}/{path}")) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // deleted, and git not told yet
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        };
        let Ok(text) = String::from_utf8(bytes) else { continue }; // nothing that we wrote
        findings.extend(sources::of(path, &text));
        let lines = text.lines().count();
        if verbose && sources::is_rust(path) && lines > sources::AIM {
            println!("{path}: {lines} lines; the aim is {}", sources::AIM);
        }
    }
    Ok(findings)
}
