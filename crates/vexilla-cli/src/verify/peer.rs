//! The Flagr that is compared with.

use vexilla_domain::{FlagSource, RemoteEvaluator};

/// Both sides of one Flagr: what evaluates, and what has the flags and says how it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'r> {
    pub(crate) source: &'r dyn FlagSource,
    pub(crate) remote: &'r dyn RemoteEvaluator,
}
