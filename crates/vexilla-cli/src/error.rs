//! Why a command failed.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use vexilla_server::BindError;

use crate::settings::{Origin, Wrong};

/// A command failed. Its message and those of its sources make up one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// Something failed at a place that its own message does not name.
    #[error("{place}")]
    At { place: String, source: Box<dyn Error + Send + Sync> },
    /// Something failed, and says where.
    #[error(transparent)]
    Named(Box<dyn Error + Send + Sync>),
    /// An argument that the argument parser lets through and that cannot work.
    #[error(transparent)]
    Usage(Box<dyn Error + Send + Sync>),
    /// A setting cannot be as it was given.
    #[error(transparent)]
    Setting(#[from] Wrong),
    /// An archive that nothing was saved to.
    #[error("no flags are archived in {place}")]
    NothingArchived { place: String },
    /// `--set` beside a context that has no members.
    #[error("`--set` needs a `--context` that is an object")]
    SetWithoutObject,
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// The output cannot be written.
    #[error("{place}: cannot be written")]
    Write { place: String, source: io::Error },
    /// The output's place is taken by something else than a file.
    #[error("{place}: is there and is no file, so it is not replaced by one")]
    NotAFile { place: String },
    /// The system refuses what every program needs.
    #[error("cannot {what}")]
    System { what: &'static str, source: io::Error },
}

impl CommandError {
    /// 2 for wrong usage, as for what the argument parser refuses, otherwise 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::SetWithoutObject
            | Self::Setting(Wrong { origin: Origin::Flag(_), .. }) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
