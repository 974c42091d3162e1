//! Flagr in a container.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Start;
use super::engine::{Engine, docker, log_of};
use crate::integ::settings::Network;

/// Where the folder that we share with it appears inside.
const INSIDE: &str = "/vexilla-integ";

/// The name of our machine inside a container with a network of its own.
pub(super) const US: &str = "host.docker.internal";

/// A Flagr in a container. Its log is kept and it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Container {
    id: String,
    folder: Option<PathBuf>,
    log: PathBuf,
}

impl Container {
    pub(super) fn run(
        engine: &Engine,
        image: &str,
        folder: PathBuf,
        port: u16,
        start: &Start,
        log: PathBuf,
    ) -> Result<Self> {
        let near = engine.elsewhere.is_none();
        let inside = if near { Path::new(INSIDE) } else { Path::new("/tmp") };
        let host = if engine.network == Network::Host && near { "127.0.0.1" } else { "0.0.0.0" };

        let mut arguments = vec!["create".to_owned(), "--label".to_owned(), engine.label.clone()];
        let mut give = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        match engine.network {
            Network::Host => give("--network", "host".to_owned()),
            Network::Own => {
                give("--network", engine.network_name.clone());
                give("--add-host", format!("{US}:host-gateway"));
                let outside = if near { "127.0.0.1:" } else { "" };
                give("--publish", format!("{outside}{port}:{port}"));
            }
        }
        if near {
            // As whoever owns the folder, so that both sides can write the files in it.
            if let Some(owner) = owner(&folder)? {
                give("--user", owner);
            }
            give("--volume", format!("{}:{INSIDE}", folder.display()));
        }
        for (name, value) in start.environment(host, port, inside) {
            give("--env", format!("{name}={value}"));
        }
        arguments.push(image.to_owned());

        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let id = docker(&arguments)?;
        let container = Self { id, folder: near.then_some(folder), log };
        container.control("start")?;
        Ok(container)
    }

    pub(super) fn folder(&self) -> Result<&Path> {
        self.folder.as_deref().context("its files are on another machine")
    }

    /// Fails when it has ended by itself.
    pub(super) fn is_alive(&self) -> Result<()> {
        let running = docker(&["inspect", "--format", "{{.State.Running}}", &self.id])?;
        ensure!(running == "true", "Flagr has ended");
        Ok(())
    }

    /// Runs one of Docker's verbs on it: `stop`, `kill`, `pause`, …
    pub(super) fn control(&self, verb: &str) -> Result<()> {
        docker(&[verb, &self.id]).map(drop)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A log is worth having and no reason to fail; what cannot be removed here, the engine's guard tries again.
        if let Ok(log) = log_of(&self.id) {
            drop(fs::write(&self.log, log));
        }
        drop(docker(&["rm", "--force", "--volumes", &self.id]));
    }
}

/// `1000:1000`, where there are such numbers.
#[cfg(unix)]
fn owner(folder: &Path) -> Result<Option<String>> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(folder)?;
    Ok(Some(format!("{}:{}", metadata.uid(), metadata.gid())))
}

#[cfg(not(unix))]
fn owner(_: &Path) -> Result<Option<String>> {
    Ok(None)
}
