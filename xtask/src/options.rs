//! What commands that need a Flagr have in common.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::integ::{Place, found};

/// A Flagr that is not made for the run.
#[derive(Debug, Args)]
pub(crate) struct FlagrOptions {
    /// Start this Flagr server, and compare with it
    #[arg(long, value_name = "PROGRAM", conflicts_with = "flagr_url")]
    flagr_bin: Option<PathBuf>,
    /// Compare with the Flagr that is there
    #[arg(long, value_name = "URL", value_parser = http_url)]
    flagr_url: Option<String>,
}

impl FlagrOptions {
    /// Where it is, if one was named.
    pub(crate) fn place(&self) -> Result<Option<Place>> {
        match (&self.flagr_bin, &self.flagr_url) {
            (Some(path), _) => Ok(Some(Place::Program(found("--flagr-bin", path)?))),
            (None, url) => Ok(url.clone().map(Place::Url)),
        }
    }
}

/// The address of a Flagr, without the slash at its end.
pub(crate) fn http_url(text: &str) -> Result<String, &'static str> {
    if text.starts_with("http://") {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("it begins with http://")
    }
}
