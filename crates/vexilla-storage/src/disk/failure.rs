//! Why a generation cannot be used.

use std::io;

use crate::sealed::Damage;

/// Reads well after the name of the generation.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It stays so: another one has to serve.
    #[error("{0}")]
    Damaged(#[from] Damage),
    /// It may be better the next time.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl Failure {
    /// The same, without the reason.
    pub(super) fn in_short(&self) -> &'static str {
        match self {
            Self::Damaged(Damage::Format(_)) => "is of another version of Vexilla",
            Self::Damaged(_) => "is damaged",
            Self::Unreadable(_) => "cannot be read",
        }
    }
}

/// The newest generation of a folder that has nothing good.
#[derive(Debug, thiserror::Error)]
#[error("generation {generation} {failure}")]
pub(super) struct NoGood {
    pub(super) generation: u64,
    pub(super) failure: Failure,
}
