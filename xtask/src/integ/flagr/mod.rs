//! A Flagr that scenarios work with, wherever it runs.

mod container;
mod engine;
mod environment;
mod place;
mod process;
mod rest;

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::needs::Version;
use crate::http::{Answer, Http};
use crate::wait::Interrupt;

use container::Container;
pub(super) use engine::Engine;
pub(crate) use environment::Start;
pub(crate) use place::{Place, free_port, write_flags};
use process::Process;
pub(crate) use rest::{Rest, newest_snapshot};

pub(super) const HEALTH: &str = "/api/v1/health";

/// A running Flagr. It is gone when this is dropped; of one that was given, the flags that we made are.
#[derive(Debug)]
pub(crate) struct Flagr {
    /// Its API, with the credentials that it asks for.
    pub(crate) http: Http,
    running: Running,
    /// The flags that were made here.
    made: RefCell<Vec<i64>>,
    interrupt: Interrupt,
}

#[derive(Debug)]
enum Running {
    Given,
    Container(Container),
    Process(Process),
}

impl Flagr {
    fn new(http: Http, running: Running, interrupt: &Interrupt) -> Result<Self> {
        let made = RefCell::default();
        let mut flagr = Self { http, running, made, interrupt: interrupt.clone() };
        flagr.until_healthy()?;
        Ok(flagr)
    }

    fn until_healthy(&mut self) -> Result<()> {
        self.interrupt.until("healthy Flagr", || {
            match &mut self.running {
                Running::Container(container) => container.is_alive()?,
                Running::Process(process) => process.is_alive()?,
                Running::Given => {}
            }
            self.http.get(HEALTH)?.ok().map(drop)
        })
    }

    /// The release that its API description names.
    pub(crate) fn version(&self) -> Option<Version> {
        let description = self.http.get("/swagger.json").and_then(Answer::json).ok()?;
        Version::read(description.pointer("/info/version")?.as_str()?)
    }

    /// Its flags over REST.
    pub(crate) fn rest(&self) -> Rest<'_> {
        Rest::new(&self.http, &self.made)
    }

    /// The folder of this machine that holds its files.
    pub(super) fn folder(&self) -> Result<&Path> {
        match &self.running {
            Running::Container(container) => container.folder(),
            Running::Process(process) => Ok(process.folder()),
            Running::Given => bail!("a given Flagr hides its files"),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(&mut self) -> Result<()> {
        match &mut self.running {
            Running::Container(container) => container.control("stop"),
            Running::Process(process) => process.stop(&self.interrupt),
            Running::Given => not_ours(),
        }
        .context("cannot stop Flagr")
    }

    /// Ends it without asking.
    pub(super) fn kill(&mut self) -> Result<()> {
        match &mut self.running {
            Running::Container(container) => container.control("kill"),
            Running::Process(process) => process.kill(),
            Running::Given => not_ours(),
        }
        .context("cannot kill Flagr")
    }

    /// Starts it again, with the settings and the database that it had.
    pub(super) fn start_again(&mut self) -> Result<()> {
        match &mut self.running {
            Running::Container(container) => container.control("start"),
            Running::Process(process) => process.start(),
            Running::Given => not_ours(),
        }
        .context("cannot start Flagr again")?;
        self.until_healthy()
    }

    /// Lets it accept connections and never answer.
    pub(super) fn pause(&mut self) -> Result<()> {
        match &mut self.running {
            Running::Container(container) => container.control("pause"),
            Running::Process(process) => process.signal("STOP"),
            Running::Given => not_ours(),
        }
        .context("cannot pause Flagr")
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self) -> Result<()> {
        match &mut self.running {
            Running::Container(container) => container.control("unpause"),
            Running::Process(process) => process.signal("CONT"),
            Running::Given => not_ours(),
        }
        .context("cannot resume Flagr")?;
        self.until_healthy()
    }
}

impl Drop for Flagr {
    fn drop(&mut self) {
        if let Running::Given = self.running {
            for id in self.made.borrow().iter() {
                // Deleted by the scenario already, or left behind under a name that says whose it is.
                drop(self.http.delete(&format!("/api/v1/flags/{id}")));
            }
        }
    }
}

fn not_ours() -> Result<()> {
    bail!("it was given")
}
