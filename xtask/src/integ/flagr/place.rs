//! The places that a Flagr may run in.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::container::{Container, US};
use super::engine::Engine;
use super::environment::FLAGS;
use super::process::Process;
use super::{Flagr, Running, Start};
use crate::http::Http;
use crate::integ::needs::Kind;
use crate::integ::settings::Network;
use crate::wait::Interrupt;

/// Where Flagrs come from in a run.
#[derive(Debug)]
pub(crate) enum Place {
    Docker { engine: Engine, image: String },
    Program(PathBuf),
    Url(String),
}

impl Place {
    pub(in crate::integ) fn kind(&self) -> Kind {
        match self {
            Self::Docker { engine, .. } if engine.elsewhere.is_some() => Kind::Far,
            Self::Docker { .. } | Self::Program(_) => Kind::Near,
            Self::Url(_) => Kind::Given,
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Docker { image, .. } => format!("{image} in Docker"),
            Self::Program(path) => path.display().to_string(),
            Self::Url(url) => url.clone(),
        }
    }

    /// A Flagr that keeps its files in this folder and listens. One that was given is as it is.
    pub(crate) fn flagr(
        &self,
        start: &Start,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Flagr> {
        let port = free_port()?;
        let machine = match self {
            Self::Docker { engine, .. } => engine.elsewhere.as_deref().unwrap_or("127.0.0.1"),
            Self::Program(_) | Self::Url(_) => "127.0.0.1",
        };
        let url = match self {
            Self::Url(url) => url.clone(),
            _ => format!("http://{machine}:{port}{}", start.prefix),
        };
        let log = folder.with_extension("log");
        if let Some(flags) = &start.flags {
            write_flags(folder, flags)?;
        }
        let folder = folder.to_owned();
        let running = match self {
            Self::Docker { engine, image } => {
                Running::Container(Container::run(engine, image, folder, port, start, log)?)
            }
            Self::Program(path) => {
                Running::Process(Process::spawn(path, folder, port, start, &log)?)
            }
            Self::Url(_) => Running::Given,
        };
        let mut http = Http::new(url);
        if let Some(authorization) = start.authorization {
            http = http.with_authorization(authorization);
        }
        Flagr::new(http, running, interrupt)
    }

    /// What Flagr calls us, and where we must listen for it.
    pub(crate) fn callback(&self) -> (&'static str, &'static str) {
        match self {
            Self::Docker { engine, .. } if engine.network == Network::Own => (US, "0.0.0.0"),
            _ => ("127.0.0.1", "127.0.0.1"),
        }
    }
}

/// A port that nobody uses at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// Writes the flags of a Flagr in eval-only mode, all at once.
pub(crate) fn write_flags(folder: &Path, flags: &str) -> Result<()> {
    let new = folder.join("new.json");
    fs::write(&new, flags).context("cannot write the flags")?;
    fs::rename(&new, folder.join(FLAGS)).context("cannot replace the flags")
}
