//! What `cargo xtask integ` was told.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::options::{Known, Options};

pub(super) const USAGE: &str = "usage: cargo xtask integ [OPTIONS]

  --image IMAGE         the Flagr image to start [default: ghcr.io/openflagr/flagr]
  --tag VERSION         its tag [default: 1.2.3]
  --matrix A,B,…        several tags, one after the other
  --network own|host    a network of its own, or the machine's [default: own]
  --flagr-bin PROGRAM   start this Flagr server instead of a container
  --flagr-url URL       use the Flagr that is there, http only; what must stop or configure it is skipped
  --vexilla PROGRAM     test this binary instead of building one
  --only NAME           run the scenarios whose name begins like that
  --clients             also the published clients, as `cargo xtask clients` has them
  --list                only say what there is

DOCKER_HOST and Docker's contexts are respected.";

const KNOWN: Known = Known {
    with_value: &[
        "--image",
        "--tag",
        "--matrix",
        "--network",
        "--flagr-bin",
        "--flagr-url",
        "--vexilla",
        "--only",
    ],
    alone: &["--clients", "--list"],
};

/// Where Flagr is to come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// These images, one after the other.
    Docker {
        images: Vec<String>,
        network: Network,
    },
    Program(PathBuf),
    Url(String),
}

/// How a container meets the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// A network for this run, from which ports are published.
    Own,
    /// The network of the machine.
    Host,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) source: Source,
    pub(super) vexilla: Option<PathBuf>,
    pub(super) only: String,
    pub(super) clients: bool,
    pub(super) list: bool,
}

impl Settings {
    pub(super) fn read(arguments: &[String]) -> Result<Self> {
        let options = Options::read(arguments, &KNOWN)?;
        let docker = ["--image", "--tag", "--matrix", "--network"];
        let places = [options.has("--flagr-url"), options.has("--flagr-bin")];
        let docker = docker.iter().any(|it| options.has(it));
        ensure!(
            places.iter().filter(|it| **it).count() + usize::from(docker) <= 1,
            "Flagr comes from an image, from `--flagr-bin` or from `--flagr-url`: give one of them"
        );
        let source = match (options.value("--flagr-url"), options.value("--flagr-bin")) {
            (Some(url), _) => {
                ensure!(url.starts_with("http://"), "`--flagr-url` begins with http://");
                Source::Url(url.trim_end_matches('/').to_owned())
            }
            (None, Some(program)) => Source::Program(program.into()),
            (None, None) => {
                Source::Docker { images: images(&options)?, network: network(&options)? }
            }
        };
        Ok(Self {
            source,
            vexilla: options.value("--vexilla").map(PathBuf::from),
            only: options.value("--only").unwrap_or_default().to_owned(),
            clients: options.has("--clients"),
            list: options.has("--list"),
        })
    }
}

fn images(options: &Options) -> Result<Vec<String>> {
    let image = options.value("--image").unwrap_or("ghcr.io/openflagr/flagr");
    let tags = match (options.value("--matrix"), options.value("--tag")) {
        (Some(_), Some(_)) => bail!("`--matrix` and `--tag` exclude each other"),
        (Some(tags), None) => tags,
        (None, tag) => tag.unwrap_or("1.2.3"),
    };
    let tags = tags.split(',').map(str::trim);
    ensure!(tags.clone().all(|it| !it.is_empty()), "`--matrix` has an empty tag");
    Ok(tags.map(|tag| format!("{image}:{tag}")).collect())
}

fn network(options: &Options) -> Result<Network> {
    match options.value("--network") {
        None | Some("own") => Ok(Network::Own),
        Some("host") => Ok(Network::Host),
        Some(other) => bail!("`--network` is `own` or `host`, not `{other}`"),
    }
}

#[cfg(test)]
mod tests;
