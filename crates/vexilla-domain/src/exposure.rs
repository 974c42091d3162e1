//! What people saw, on its way to Flagr.

use std::time::SystemTime;

use crate::{FlagId, SnapshotId, Value, VariantId};

/// An impression: an entity saw what a flag decided for it. One row of Flagr's `POST /exposures`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposure {
    /// The flag's id, 0 when not told.
    pub flag_id: FlagId,
    /// The flag's key, empty when not told.
    pub flag_key: Box<str>,
    /// The id of the variant that was seen, 0 when not told.
    pub variant_id: VariantId,
    /// The key of the variant that was seen, empty when not told.
    pub variant_key: Box<str>,
    /// The flag's snapshot that decided; with 0 Flagr takes its newest.
    pub snapshot_id: SnapshotId,
    /// Who saw it.
    pub entity_id: Box<str>,
    /// What kind of entity that is. The flag's own entity type replaces it.
    pub entity_type: Box<str>,
    /// What else is to be recorded: any JSON value.
    pub entity_context: Option<Value>,
    /// When it was seen. `None`: when it is taken.
    pub at: Option<SystemTime>,
}

/// An exposure that is refused, in Flagr's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Its place among those that were handed over.
    pub index: usize,
    /// Why.
    pub message: Box<str>,
}
