//! `cargo xtask dist`: what is handed out. One binary that needs nothing beside it, its completions and man pages, and
//! an archive of all with its checksum.

mod archive;
mod elf;
mod target;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::command::{ROOT, built, cargo, output_of, program, run};
use target::Target;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What it is built for [default: this machine]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// What the binary may weigh.
const LIMIT: u64 = 20_000_000;

/// The shells with a completion, and the file that each of them looks for.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "vexilla.bash"),
    ("elvish", "vexilla.elv"),
    ("fish", "vexilla.fish"),
    ("powershell", "_vexilla.ps1"),
    ("zsh", "_vexilla"),
];

const DOCUMENTS: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"];

/// Builds the binary, checks it, and lays out `target/dist`.
pub(crate) fn dist(options: &Options) -> Result<()> {
    let target = Target::chosen(options.target.as_deref())?;
    let program_built = build(&target, "vexilla-cli", "vexilla")?;

    let out = Path::new(ROOT).join("target/dist");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let name = target.program();
    let binary = out.join(&name);
    create(&out)?;
    copy(&program_built, &binary)?;
    let version = checked(&binary, &target)?;
    completions(&binary, &out.join("completions"))?;
    run(program(&binary.to_string_lossy(), &["man", "--out"]).arg(create(&out.join("man"))?))?;
    for document in DOCUMENTS {
        copy(&Path::new(ROOT).join(document), &out.join(document))?;
    }

    let packed = archive::pack(&out, &format!("vexilla-{version}-{}", target.triple()), &name)?;
    let sum = archive::checksums(&out, &[binary.as_path(), packed.as_path()])?;
    print!("{sum}");
    Ok(())
}

/// This program for this machine, built as what is handed out.
pub(crate) fn binary(package: &str, name: &str) -> Result<PathBuf> {
    build(&Target::chosen(None)?, package, name)
}

/// Without the symbols, which only a debugger reads: a panic names its place all the same. Optimised as a whole, which
/// takes its time and leaves less code to be kept in memory.
fn build(target: &Target, package: &str, name: &str) -> Result<PathBuf> {
    let triple = target.triple();
    let mut command = cargo(&["build", "--release", "--locked", "--package", package]);
    command.args(["--bin", name, "--target", triple]);
    for setting in ["strip=\"symbols\"", "lto=\"fat\"", "codegen-units=1"] {
        command.args(["--config", &format!("profile.release.{setting}")]);
    }
    if target.is_static() {
        // As configuration it reaches the target alone; build scripts and macros stay as they are.
        let flags = format!("target.{triple}.rustflags=[\"-Ctarget-feature=+crt-static\"]");
        command.args(["--config", &flags]);
    }
    built(command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS"))
}

/// The version of the binary, which runs, is small enough, and needs no library where it is meant not to.
fn checked(binary: &Path, target: &Target) -> Result<String> {
    let said = output_of(&mut program(&binary.to_string_lossy(), &["--version"]))?;
    let said = String::from_utf8(said).context("the version is not UTF-8")?;
    let version = said.trim().strip_prefix("vexilla ").context("it does not say its version")?;
    let bytes = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let size = bytes.len() as u64;
    let linked = if target.is_static() {
        ensure!(!elf::needs_interpreter(&bytes)?, "{} is not static", binary.display());
        "static"
    } else {
        "linked with the libraries of the system"
    };
    println!("vexilla {version} for {}: {size} bytes, {linked}", target.triple());
    ensure!(size < LIMIT, "{size} bytes are too many: {LIMIT} is the limit");
    Ok(version.to_owned())
}

fn completions(binary: &Path, folder: &Path) -> Result<()> {
    create(folder)?;
    for (shell, file) in SHELLS {
        let script = output_of(&mut program(&binary.to_string_lossy(), &["completions", shell]))?;
        let path = folder.join(file);
        fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<&Path> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
