//! Without the feature `memory` there is no budget, and what flags are made of is in the rules.

use std::sync::Arc;

use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use vexilla_domain::{CacheCounts, Flag};
use vexilla_eval::{CompiledFlag, Ruleset};

use crate::client::Client;
use crate::error::ConfigError;
use crate::parts::Parts;
use crate::shared::Shared;

#[expect(clippy::unused_self, reason = "as with the feature `memory`")]
impl Parts {
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature `memory`")]
    pub(crate) fn check_budget(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    pub(crate) fn is_paged(&self) -> bool {
        false
    }

    pub(crate) fn body_counts(&self) -> Option<CacheCounts> {
        None
    }

    pub(crate) async fn make_rules<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        spawn_blocking(work).await
    }

    pub(crate) fn give_way(&self) {}

    pub(crate) fn offer_body(&self, _: CompiledFlag) {}

    pub(crate) fn forget_bodies(&self, _: &Ruleset, _: &Ruleset) {}

    pub(crate) fn resume_expiry(&self) {}

    #[expect(clippy::unused_async, reason = "as with the feature `memory`")]
    pub(crate) async fn load_missed(self, _: Arc<Shared>, _: CancellationToken) {}
}

#[expect(clippy::unused_self, reason = "as with the feature `memory`")]
impl Client {
    #[expect(clippy::unused_async, reason = "as with the feature `memory`")]
    pub(crate) async fn body(&self, _: &CompiledFlag) -> Option<Arc<CompiledFlag>> {
        None
    }

    pub(crate) fn held_body(&self, _: &CompiledFlag) -> Option<Arc<CompiledFlag>> {
        None
    }

    #[expect(clippy::unused_async, reason = "as with the feature `memory`")]
    pub(crate) async fn archived_definition(&self, _: &CompiledFlag) -> Option<Flag> {
        None
    }
}
