//! From arguments to flags, with errors that name where the flags were to come from.

use std::error::Error;
use std::path::PathBuf;

use vexilla::{Client, ClientBuilder, FileSource, FlagrConfig, RefreshError, StartError};
use vexilla_domain::json::Document;
use vexilla_domain::{Depth, FlagSource};
use vexilla_flagr::FlagrSource;

use crate::archived;
use crate::args::{ArchivedArgs, SourceArgs};
use crate::error::CommandError;
use crate::settings::{Access, Settings, Wrong, parts};

impl SourceArgs {
    /// A client in the making, on this source, with these credentials and certificates for Flagr.
    pub(crate) fn builder(
        &self,
        settings: &Settings,
        access: &Access,
    ) -> Result<ClientBuilder, Wrong> {
        let mut builder = Client::builder();
        if let Some(url) = &self.flagr {
            let mut config = config(url, settings)?;
            access.apply(&mut config);
            builder = builder.flagr_with(config);
        }
        if let Some(path) = &self.flags {
            builder = builder.flags_file(path);
        }
        Ok(builder)
    }

    /// A client in the making, that only reads: on this source, or on what is archived.
    pub(crate) async fn reader(&self, settings: &Settings) -> Result<ClientBuilder, CommandError> {
        match archived::find(&self.archived, settings).await? {
            Some(found) => Ok(archived::builder(found)),
            None => Ok(self.builder(settings, &settings.flagr.access(&settings.origins)?)?),
        }
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

/// Where `serve` takes flags from: one of both, and nothing is set that has no use then.
pub(crate) fn of_serve(settings: &Settings) -> Result<SourceArgs, CommandError> {
    let url = settings.flagr.url.as_deref().map(str::to_owned);
    let file = settings.source.file.clone();
    let origins = &settings.origins;
    match (&url, &file) {
        (Some(_), Some(_)) => {
            let (origin, other) =
                (origins.of_setting("flagr.url"), origins.of_setting("source.file"));
            let (path, reason) =
                ("flagr.url", format!("a file is named too, by {other}: name one of both"));
            return Err(Wrong::new(&origin, path, reason).into());
        }
        (None, None) => {
            let reason = "name a Flagr, with `--flagr URL` or `flagr.url`, or a file, with `--flags FILE` or `source.file`";
            return Err(CommandError::Usage(reason.into()));
        }
        (Some(_), None) => {}
        (None, Some(_)) => {
            let wanted =
                parts().into_iter().flat_map(|it| it.settings).filter(|it| it.more.with_flagr);
            for setting in wanted {
                let given = origins.shown(&setting.path).filter(|it| *it != &setting.default);
                if given.is_some() {
                    let reason = "needs a Flagr, and flags come from a file";
                    let origin = origins.of_setting(&setting.path);
                    return Err(Wrong::new(&origin, &setting.path, reason).into());
                }
            }
        }
    }
    Ok(SourceArgs { flagr: url, flags: file, archived: ArchivedArgs::default() })
}

/// A Flagr at this address, reached as the settings say.
pub(crate) fn config(url: &str, settings: &Settings) -> Result<FlagrConfig, Wrong> {
    settings.flagr.config(url, &settings.origins)
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
