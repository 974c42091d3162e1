//! The bare handler of the benchmarks, as a process.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::wait::Interrupt;

/// A running one. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Bare {
    /// `127.0.0.1:18100`
    pub(super) authority: String,
    child: Child,
}

impl Bare {
    /// Starts one that answers evaluations with what this file holds.
    pub(super) fn start(program: &Path, answer: &Path, interrupt: &Interrupt) -> Result<Self> {
        let log = answer.with_extension("log");
        let file = File::create(&log)?;
        let mut command = Command::new(program);
        command.arg(answer).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("cannot run the bare handler")?;
        let mut bare = Self { authority: String::new(), child };
        bare.authority = interrupt.until("listening bare handler", || {
            ensure!(bare.child.try_wait()?.is_none(), "it has ended");
            match fs::read_to_string(&log)?.trim_end().strip_prefix("listening on http://") {
                Some(authority) => Ok(authority.to_owned()),
                None => bail!("it says nothing"),
            }
        })?;
        Ok(bare)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended already, which is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
