//! Configurations that change while a server serves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::listener::{ListenAddress, ListenerConfig, LiveConfig};

/// A configuration that can be, and is not in force yet: so that of several servers all change, or none.
#[must_use = "nothing changes before `apply`"]
pub struct Change(Box<dyn FnOnce() + Send>);

impl Change {
    /// Puts it in force, from the next request and the next connection on. Requests that are being answered count for the
    /// former limits only. Addresses, certificates and who may connect to a Unix socket stay as they are.
    pub fn apply(self) {
        (self.0)();
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").finish_non_exhaustive()
    }
}

/// What is in force at a server. It holds nothing of whom the server serves.
#[derive(Debug)]
pub(crate) struct InForce<T> {
    now: ArcSwap<T>,
    pub(crate) listener: LiveConfig,
    /// Whether others than this machine reach it.
    is_public: AtomicBool,
}

impl<T: Send + Sync + 'static> InForce<T> {
    pub(crate) fn new(now: T, listener: ListenerConfig) -> Self {
        let listener = LiveConfig::new(listener);
        Self { now: ArcSwap::from_pointee(now), listener, is_public: AtomicBool::new(false) }
    }

    /// As it is at the moment.
    pub(crate) fn now(&self) -> Arc<T> {
        self.now.load_full()
    }

    /// This address is listened on.
    pub(crate) fn listens(&self, address: &ListenAddress) {
        self.is_public.fetch_or(!address.is_local(), Ordering::Relaxed);
    }

    pub(crate) fn is_public(&self) -> bool {
        self.is_public.load(Ordering::Relaxed)
    }

    pub(crate) fn change(self: &Arc<Self>, new: T, listener: ListenerConfig) -> Change {
        let in_force = Arc::clone(self);
        Change(Box::new(move || {
            in_force.now.store(Arc::new(new));
            in_force.listener.change(listener);
        }))
    }
}
