//! One of several archives, and what went wrong with it last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, ArchiveLayer, FlagArchive, with_causes};

/// What a layer is asked to do, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    Load,
    Save,
    Confirm,
    Tell,
}

/// An archive behind others or before them.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) archive: Arc<dyn FlagArchive>,
    /// Why it did not do what it was asked last, for each kind of work.
    failures: Mutex<BTreeMap<Work, String>>,
}

impl Layer {
    pub(super) fn new(archive: Arc<dyn FlagArchive>) -> Self {
        Self { archive, failures: Mutex::default() }
    }

    /// Notes how it went. A failure is told once, and again when its reason changes.
    pub(super) fn noted<T>(
        &self,
        work: Work,
        outcome: Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        // That somebody else was faster is no failure.
        let is_failure = |it: &&ArchiveError| it.kind() != ArchiveErrorKind::Superseded;
        let failure = outcome.as_ref().err().filter(is_failure).map(|it| with_causes(it));
        let is_news = {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            let before = match &failure {
                Some(failure) => failures.insert(work, failure.clone()),
                None => {
                    failures.retain(|failed, _| !work.mends(*failed));
                    None
                }
            };
            failure.is_some() && before != failure
        };
        if let (Some(failure), true) = (failure, is_news) {
            let archive = self.archive.describe();
            warn!(archive, "an archive did not {}: {failure}", work.verb());
        }
        outcome
    }

    /// What its archive says of itself, and what is known of it here.
    pub(super) fn states(&self) -> Vec<ArchiveLayer> {
        let mut states = self.archive.layers();
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let ([state], Some(failure)) = (states.as_mut_slice(), failures.values().next()) {
            state.error.get_or_insert_with(|| failure.as_str().into());
        }
        states
    }
}

impl Work {
    /// Whether a failure of that is over once this has been done: what was saved, or is confirmed, can be had again.
    fn mends(self, failed: Self) -> bool {
        match self {
            Self::Save => true,
            Self::Confirm => failed != Self::Save,
            Self::Load | Self::Tell => failed == self,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Save => "save",
            Self::Confirm => "take a confirmation",
            Self::Tell => "tell what it holds",
        }
    }
}
