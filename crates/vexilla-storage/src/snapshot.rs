//! One value, read without waiting, replaced whole.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// A published value.
pub struct SnapshotCell<T>(ArcSwap<T>);

/// A value lent by a [`SnapshotCell`]: what was published when it was taken, for as long as it is held.
///
/// Hold it for one unit of work and let it go: many leases held at once make further ones slower.
pub struct Lease<T>(Guard<Arc<T>>);

impl<T> SnapshotCell<T> {
    /// A cell with its first value.
    pub fn new(value: Arc<T>) -> Self {
        Self(ArcSwap::new(value))
    }

    /// Replaces the value for every reader that comes from now on.
    pub fn publish(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// The value as it is now. Neither waits nor writes anything that another thread reads.
    #[inline]
    pub fn load(&self) -> Lease<T> {
        Lease(self.0.load())
    }

    /// The value as it is now, to keep.
    pub fn load_full(&self) -> Arc<T> {
        self.0.load_full()
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for SnapshotCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotCell").field(&*self.load()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
