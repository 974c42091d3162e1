//! What `cargo xtask integ` can be told.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::options::FlagrOptions;

/// What excludes an image.
const GIVEN: [&str; 2] = ["flagr_bin", "flagr_url"];

#[derive(Debug, Args)]
#[command(
    after_help = "DOCKER_HOST and Docker's contexts are respected. What must stop or configure \
    Flagr is skipped with --flagr-url."
)]
pub(crate) struct Options {
    /// The Flagr image to start
    #[arg(long, value_name = "IMAGE", default_value = "ghcr.io/openflagr/flagr", conflicts_with_all = GIVEN)]
    image: String,
    /// Its tag
    #[arg(long, value_name = "VERSION", default_value = "1.2.3", conflicts_with_all = GIVEN)]
    tag: String,
    /// Several tags, one after the other
    #[arg(
        long,
        value_name = "A,B,…",
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with = "tag",
        conflicts_with_all = GIVEN
    )]
    matrix: Vec<String>,
    /// A network of its own, or the machine's
    #[arg(long, value_enum, default_value_t = Network::Own, conflicts_with_all = GIVEN)]
    pub(super) network: Network,
    #[command(flatten)]
    pub(super) flagr: FlagrOptions,
    /// Test this binary instead of building one
    #[arg(long, value_name = "PROGRAM")]
    pub(super) vexilla: Option<PathBuf>,
    /// Run the scenarios whose name begins like that
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) only: String,
    /// Also the published clients, as `cargo xtask clients` has them
    #[arg(long)]
    pub(super) clients: bool,
    /// Only say what there is
    #[arg(long)]
    pub(super) list: bool,
}

/// How a container meets the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Network {
    /// A network for this run, from which ports are published.
    Own,
    /// The network of the machine.
    Host,
}

impl Options {
    /// The images to start, one after the other.
    pub(super) fn images(&self) -> Vec<String> {
        let tags =
            if self.matrix.is_empty() { std::slice::from_ref(&self.tag) } else { &self.matrix };
        tags.iter().map(|tag| format!("{}:{}", self.image, tag.trim())).collect()
    }
}

#[cfg(test)]
mod tests;
