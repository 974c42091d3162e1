//! What is known of the newest good generation, and when its flags were confirmed.

use std::sync::{MutexGuard, PoisonError};

use vexilla_domain::{ArchiveError, ArchiveErrorKind, Confirmation};

use super::folder::{Folder, Lasting};
use super::store::{Found, Store};
use crate::sealed::{Sealed, most};

/// A generation that was found good, and what is known of its flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) generation: u64,
    pub(super) length: u64,
    pub(super) confirmation: Confirmation,
    /// The last confirmation that a power failure cannot take back.
    pub(super) lasting_ms: u64,
}

/// How far apart confirmations are made safe from a power failure, in milliseconds: that costs as much as a save, and what
/// it may take back is no more than this.
const LASTING_EVERY: u64 = 60_000;

impl Store {
    /// Notes when the flags of the newest generation were confirmed. Says whether it has these flags.
    pub(super) fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        self.in_folder(|folder| {
            let kept = match self.kept_in(folder) {
                Some(kept) => Some(kept),
                None => self.look_for_newest(folder)?,
            };
            match kept.filter(|it| it.confirmation.is_of_same_flags(confirmation)) {
                Some(kept) => self.note(folder, kept, confirmation).map(|()| true),
                None => Ok(false),
            }
        })
    }

    /// What stands for the flags that were loaded or saved last, if they are still there.
    pub(super) fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        self.in_readable_folder(|folder| Ok(self.kept_in(folder).map(|it| it.confirmation)))
    }

    pub(super) fn note(
        &self,
        folder: &Folder,
        kept: Kept,
        confirmation: &Confirmation,
    ) -> Result<(), ArchiveError> {
        let now = confirmation.refreshed_at_ms;
        if now == kept.confirmation.refreshed_at_ms {
            return Ok(());
        }
        let lasting = if now.abs_diff(kept.lasting_ms) < LASTING_EVERY {
            Lasting::OverProcess
        } else {
            Lasting::OverPowerFailure
        };
        folder
            .confirm(self.steps.as_ref(), confirmation, lasting)
            .map_err(|error| self.failed("save to", error))?;
        let lasting_ms = match lasting {
            Lasting::OverPowerFailure => now,
            Lasting::OverProcess => kept.lasting_ms,
        };
        *self.kept() = Some(Kept { confirmation: *confirmation, lasting_ms, ..kept });
        Ok(())
    }

    /// The newest good generation, if it is known and still there as it was.
    fn kept_in(&self, folder: &Folder) -> Option<Kept> {
        let kept = *self.kept();
        kept.filter(|it| folder.length(it.generation) == Some(it.length))
    }

    fn look_for_newest(&self, folder: &Folder) -> Result<Option<Kept>, ArchiveError> {
        let most = most(self.config.max_document_bytes);
        let found = self.newest_good(folder, |generation| {
            let bytes = folder.read(generation, most)?;
            Ok((bytes.len(), Sealed::read(&bytes)?.confirmation()))
        });
        // Where nothing is good the caller saves, as where nothing is there.
        let found = match found {
            Err(error) if error.kind() == ArchiveErrorKind::Corrupt => None,
            other => other?,
        };
        Ok(found.map(|Found { generation, read: (length, confirmation), .. }| {
            self.keep(generation, length, confirmation, confirmation.refreshed_at_ms)
        }))
    }

    pub(super) fn keep(
        &self,
        generation: u64,
        length: usize,
        confirmation: Confirmation,
        lasting_ms: u64,
    ) -> Kept {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let kept = Kept { generation, length, confirmation, lasting_ms };
        *self.kept() = Some(kept);
        kept
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
