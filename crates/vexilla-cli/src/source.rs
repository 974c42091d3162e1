//! From arguments to flags, with errors that name where the flags were to come from.

use std::error::Error;
use std::path::PathBuf;

use vexilla::{Client, ClientBuilder, FileSource, FlagrConfig, RefreshError, StartError};
use vexilla_domain::json::Document;
use vexilla_domain::{Depth, FlagSource};
use vexilla_flagr::FlagrSource;

use crate::args::SourceArgs;
use crate::config::Environment;
use crate::error::CommandError;

impl SourceArgs {
    /// A client in the making, on this source.
    pub(crate) fn builder(&self, environment: &Environment) -> ClientBuilder {
        let mut builder = Client::builder();
        if let Some(url) = &self.flagr {
            builder = builder.flagr_with(config(url, environment));
        }
        if let Some(path) = &self.flags {
            builder = builder.flags_file(path);
        }
        builder
    }

    /// The error of a client that did not start on this source.
    pub(crate) fn failed(&self, error: StartError) -> CommandError {
        match (error, &self.flagr, &self.flags) {
            (StartError::Config(error), ..) => CommandError::Usage(Box::new(error)),
            (error @ StartError::Archive(_), ..) => CommandError::Named(Box::new(error)),
            (StartError::Listen(error), ..) => CommandError::Listen(error),
            (StartError::Load(error), Some(url), _) => at(format!("Flagr at {url}"), error),
            (StartError::Load(error), None, _) => CommandError::Named(Box::new(error)),
            (error, Some(url), _) => at(format!("Flagr at {url}"), error),
            (error, None, Some(path)) => at(path.display().to_string(), error),
            (error, None, None) => CommandError::Named(Box::new(error)),
        }
    }
}

/// A Flagr at this address, with the credentials of the environment.
pub(crate) fn config(url: &str, environment: &Environment) -> FlagrConfig {
    let mut config = FlagrConfig::new(url);
    config.auth = environment.flagr.clone();
    config
}

/// A Flagr, or something that answers like one.
pub(crate) fn flagr(config: FlagrConfig) -> Result<FlagrSource, CommandError> {
    FlagrSource::new(config).map_err(|error| CommandError::Usage(Box::new(error)))
}

/// The flags of a Flagr as they are now.
pub(crate) async fn fetch_flagr(source: &FlagrSource) -> Result<Document, CommandError> {
    fetch(source).await.map_err(|error| at(source.describe(), error))
}

/// The flags of a file as they are now.
pub(crate) async fn fetch_file(path: PathBuf) -> Result<Document, CommandError> {
    fetch(&FileSource::new(path)).await.map_err(|error| CommandError::Named(Box::new(error)))
}

/// An error comes in a client's words, which leave out what lies between it and its cause.
async fn fetch(source: &dyn FlagSource) -> Result<Document, RefreshError> {
    let fetched = source.fetch(None, Depth::Full).await?;
    Ok(fetched.changed.unwrap_or_default()) // who has no flags yet is always told them
}

pub(crate) fn at(place: String, error: impl Error + Send + Sync + 'static) -> CommandError {
    CommandError::At { place, source: Box::new(error) }
}
