//! A Docker engine, driven by its own command.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::integ::settings::Network;

/// Marks what we start, so that all of it can be found and removed.
const LABEL: &str = "vexilla.integ";

/// The engine that `docker` talks to, and what this run left there. All of it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The machine that it runs on, unless that is ours.
    pub(super) elsewhere: Option<String>,
    pub(super) network: Network,
    /// `vexilla.integ=RUN`, on everything that this run starts.
    pub(super) label: String,
    /// The run's own network.
    pub(super) network_name: String,
}

impl Engine {
    /// Fails where no engine answers, and says what else there is.
    pub(in crate::integ) fn answers() -> Result<()> {
        if docker(&["version", "--format", "{{.Server.Version}}"]).is_err() {
            bail!(
                "no Docker engine answers here: start one or set DOCKER_HOST, \
                 or give a running Flagr by `--flagr-url URL` or a Flagr server by `--flagr-bin PROGRAM`"
            );
        }
        Ok(())
    }

    pub(in crate::integ) fn connect(run: &str, network: Network) -> Result<Self> {
        let endpoint = docker(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])?;
        let elsewhere = machine(&endpoint);
        let engine = Self {
            elsewhere,
            network,
            label: format!("{LABEL}={run}"),
            network_name: run.to_owned(),
        };
        if network == Network::Own {
            docker(&["network", "create", "--label", &engine.label, &engine.network_name])?;
        }
        Ok(engine)
    }

    /// Everything of this run, also what a scenario could not remove.
    fn remove(&self) -> Result<()> {
        let filter = format!("label={}", self.label);
        let left = docker(&["ps", "--all", "--quiet", "--filter", &filter])?;
        for container in left.split_whitespace() {
            docker(&["rm", "--force", "--volumes", container])?;
        }
        if self.network == Network::Own {
            docker(&["network", "rm", &self.network_name])?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("what has the label {} could not be removed: {error:#}", self.label);
        }
    }
}

/// Runs `docker` and gives what it prints.
pub(super) fn docker(arguments: &[&str]) -> Result<String> {
    let output = output(arguments)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The last that a container wrote.
pub(super) fn log_of(container: &str) -> Result<Vec<u8>> {
    let output = output(&["logs", "--tail", "40", container])?;
    Ok([output.stdout, output.stderr].concat())
}

fn output(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::null());
    #[cfg(unix)]
    {
        // Ctrl-C is for us: what we are removing must not be interrupted with us.
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    let output = command.output().context("cannot run `docker`")?;
    let name = arguments.first().copied().unwrap_or_default();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`docker {name}` failed: {}", said.trim());
    Ok(output)
}

/// The machine of an endpoint, unless it is ours: `tcp://10.0.0.7:2375`, `ssh://me@builder`.
pub(super) fn machine(endpoint: &str) -> Option<String> {
    let (scheme, rest) = endpoint.split_once("://")?;
    if !matches!(scheme, "tcp" | "http" | "https" | "ssh") {
        return None; // a socket or a pipe
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |it| it.1);
    let host = host.rsplit_once(':').map_or(host, |it| it.0);
    let ours = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    (!ours).then(|| host.to_owned())
}

#[cfg(test)]
mod tests;
