//! The end of a cache, which must not keep a thread that drives futures.

use std::thread;

use tokio::runtime::Handle;

/// The handle of a cache that is dropped last.
///
/// Dropping it waits for a thread of the cache. Within a Tokio runtime that is done on a thread of its own, which ends
/// as soon as the cache has; elsewhere the one who drops waits.
pub(super) struct LastHandle<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> LastHandle<T> {
    pub(super) fn new(handle: T) -> Self {
        Self(Some(handle))
    }
}

impl<T: Send + 'static> Drop for LastHandle<T> {
    fn drop(&mut self) {
        let handle = self.0.take();
        if Handle::try_current().is_ok() {
            // Where no thread can be had, the handle is dropped with the closure, here.
            let _ = thread::Builder::new()
                .name("vexilla-cache-end".to_owned())
                .spawn(move || drop(handle));
        }
    }
}
