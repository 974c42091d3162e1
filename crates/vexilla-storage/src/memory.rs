//! An archive that is gone with its process.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, Confirmation, FlagArchive};

/// Keeps flags in memory: for tests, and in place of an archive that cannot be had.
#[derive(Debug, Default)]
pub struct MemoryArchive(Mutex<Option<Archived>>);

impl MemoryArchive {
    /// An archive without flags.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl FlagArchive for MemoryArchive {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(held.map(|flags| Archived { origin: self.describe().into(), ..flags }))
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_ref().map(|it| it.revision) {
            Some(later) if flags.revision < later => Err(ArchiveError::new(
                ArchiveErrorKind::Superseded,
                format!("memory holds the later revision {later}"),
            )),
            _ => {
                *held = Some(flags.clone());
                Ok(())
            }
        }
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_mut().filter(|it| it.confirmation().is_of_same_flags(confirmation));
        let is_there = held.is_some();
        if let Some(flags) = held {
            flags.refreshed_at_ms = confirmation.refreshed_at_ms;
        }
        Ok(is_there)
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.as_ref().map(Archived::confirmation))
    }

    fn describe(&self) -> String {
        "memory".into()
    }
}

#[cfg(test)]
mod tests;
