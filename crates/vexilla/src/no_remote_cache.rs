//! Without the feature `memory` no answers are kept, and so none are to be forgotten.

use vexilla_domain::{CacheCounts, FlagName};
use vexilla_eval::Ruleset;

use crate::parts::Parts;

#[expect(clippy::unused_self, reason = "as with the feature `memory`")]
impl Parts {
    pub(crate) fn forget_answers(&self, _: &FlagName) {}

    pub(crate) fn forget_all_answers(&self) {}

    pub(crate) fn forget_changed(&self, _: &Ruleset, _: &Ruleset) {}

    #[expect(clippy::unused_async, reason = "as with the feature `memory`")]
    pub(crate) async fn stop_asking_ahead(&self) {}

    pub(crate) fn cache_counts(&self) -> Option<CacheCounts> {
        None
    }
}
