//! What is measured, and who it is measured against, as running processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::clients::Flags;
use crate::dist;
use crate::integ::{Flagr, Place, Start, Vexilla};
use crate::wait::Interrupt;

/// The programs, built as what is handed out.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) vexilla: PathBuf,
    pub(super) bare: PathBuf,
}

impl Programs {
    pub(super) fn find(vexilla: Option<&Path>) -> Result<Self> {
        let vexilla = match vexilla {
            Some(path) => crate::integ::found("--vexilla", path)?,
            None => dist::binary("vexilla-cli", "vexilla")?,
        };
        Ok(Self { vexilla, bare: dist::binary("vexilla-bare", "vexilla-bare")? })
    }
}

/// So many flags, each with one constraint and two halves.
pub(super) fn flags(count: usize) -> Result<Flags> {
    let flag = |it: usize| {
        let (on, off) = (2 * it, 2 * it + 1);
        json!({
            "ID": it, "Key": format!("flag-{it}"), "Enabled": true, "Tags": [],
            "Variants": [
                { "ID": on, "Key": "on", "Attachment": { "color": "green" } },
                { "ID": off, "Key": "off", "Attachment": {} },
            ],
            "Segments": [{
                "ID": it, "RolloutPercent": 100,
                "Constraints": [{ "Property": "country", "Operator": "EQ", "Value": "\"US\"" }],
                "Distributions": [
                    { "VariantID": on, "VariantKey": "on", "Percent": 50 },
                    { "VariantID": off, "VariantKey": "off", "Percent": 50 },
                ],
            }],
        })
    };
    let flags: Vec<Value> = (1..=count).map(flag).collect();
    let prefix = format!("vexilla-load-{}-", process::id());
    Flags::read(&json!({ "Flags": flags }).to_string(), prefix)
}

/// A sidecar that serves these flags, beside its log.
pub(super) fn vexilla(
    program: &Path,
    flags: &Flags,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<Vexilla> {
    fs::create_dir_all(folder)?;
    let file = folder.join("flags.json");
    flags.write(&file)?;
    let file = file.display().to_string();
    let off = ["--archive", "off", "--admin-listen", "off", "--webhook-listen", "off"];
    let arguments = [&["--flags", file.as_str()], &off[..]].concat();
    Vexilla::start(program, &arguments, &[], &folder.join("vexilla.log"), interrupt)
}

/// A Flagr with its defaults that serves the same. It logs, which ours turns off elsewhere.
pub(super) fn flagr(
    place: &Place,
    flags: &Flags,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<Flagr> {
    let settings = ["FLAGR_EVAL_LOGGING_ENABLED", "FLAGR_MIDDLEWARE_VERBOSE_LOGGER_ENABLED"];
    let settings = settings.map(|it| (it, "true".to_owned())).to_vec();
    let is_given = matches!(place, Place::Url(_));
    let text = (!is_given).then(|| flags.to_text()).transpose()?;
    fs::create_dir_all(folder)?;
    let started =
        place.flagr(&Start { settings, flags: text, ..Start::default() }, folder, interrupt)?;
    if is_given {
        flags.make(started.rest()).context("cannot make the flags in Flagr")?;
    }
    interrupt.until("flags", || flags.are_all_known_to(&started.http))?;
    Ok(started)
}
