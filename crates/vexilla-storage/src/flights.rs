//! Work that several ask for at once is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rapidhash::fast::RandomState;
use tokio::sync::OnceCell;

/// Work that is under way, by key.
///
/// Nobody owns the work: of those who wait for a key, one does it with its own future. If that one is cancelled or
/// panics, the next one takes over with its own; when the work is done, whatever came of it, all who wait are told, and
/// who asks later begins anew.
#[derive(Debug)]
pub(crate) struct Flights<K, T>(Mutex<HashMap<K, Arc<OnceCell<T>>, RandomState>>);

impl<K: Hash + Eq + Clone, T: Clone> Flights<K, T> {
    /// Does the work, or waits for the one who does.
    pub(crate) async fn join(&self, key: K, work: impl Future<Output = T>) -> T {
        let seat = Seat::take(self, key);
        seat.cell.get_or_init(|| work).await.clone()
    }

    /// How many keys are under way.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.running().len()
    }

    /// INVARIANT: nothing that could panic runs under the lock but `Hash` and `Eq` of keys, which change nothing.
    fn running(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<T>>, RandomState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A place among those who wait. The last one to leave it, or the first one after the work is done, clears it away.
struct Seat<'a, K: Hash + Eq + Clone, T: Clone> {
    flights: &'a Flights<K, T>,
    key: K,
    cell: Arc<OnceCell<T>>,
}

impl<'a, K: Hash + Eq + Clone, T: Clone> Seat<'a, K, T> {
    fn take(flights: &'a Flights<K, T>, key: K) -> Self {
        let mut running = flights.running();
        let cell = match running.get(&key) {
            // Done, and not yet cleared away: it was asked for before this caller came.
            Some(cell) if !cell.initialized() => Arc::clone(cell),
            _ => {
                let cell = Arc::default();
                running.insert(key.clone(), Arc::clone(&cell));
                cell
            }
        };
        drop(running);
        Self { flights, key, cell }
    }
}

impl<K: Hash + Eq + Clone, T: Clone> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        let mut running = self.flights.running();
        let own = running.get(&self.key).is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two handles: the map's and this one. Others are made under the lock only.
        if own && (self.cell.initialized() || Arc::strong_count(&self.cell) == 2) {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
