//! One value, read without waiting, replaced whole.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use vexilla_domain::Revision;

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

    /// Replaces the value unless the one that is there has a later revision, and says whether it did. Whoever comes with
    /// values from several places uses this one: readers then never see a revision go back.
    ///
    /// A value of the same revision replaces the other: it says the same, maybe fresher.
    pub fn publish_newer(&self, value: &Arc<T>, revision_of: impl Fn(&T) -> Revision) -> bool {
        let revision = revision_of(value);
        let mut current = self.0.load();
        while revision_of(&current) <= revision {
            let found = self.0.compare_and_swap(&*current, Arc::clone(value));
            if Arc::ptr_eq(&found, &current) {
                return true;
            }
            current = found; // somebody was quicker: look again
        }
        false
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
