//! An archive that is gone with its process.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, FlagArchive};

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

    fn describe(&self) -> String {
        "memory".into()
    }
}

#[cfg(test)]
mod tests;
