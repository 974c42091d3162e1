//! What a listener allows, which may change while it serves.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ListenerConfig;

/// A listener's configuration as it is at the moment. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct LiveConfig(Arc<ArcSwap<ListenerConfig>>);

impl LiveConfig {
    pub(crate) fn new(config: ListenerConfig) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(config)))
    }

    /// As it is at the moment.
    pub(crate) fn now(&self) -> Arc<ListenerConfig> {
        self.0.load_full()
    }

    /// Takes over the limits, for the connections from now on. What the address was opened with stays.
    pub(crate) fn change(&self, mut config: ListenerConfig) {
        let former = self.now();
        config.tls.clone_from(&former.tls);
        config.unix_access = former.unix_access;
        self.0.store(Arc::new(config));
    }
}
