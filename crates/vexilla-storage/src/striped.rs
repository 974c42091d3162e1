//! Counters that threads add to without getting in each other's way.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// `N` counters, kept once per stripe. A thread adds to its own stripe; reading sums them all.
///
/// There are more stripes than most processes have busy threads. Threads that do share one still count right.
#[derive(Debug)]
pub struct Striped<const N: usize>(Box<[Stripe<N>]>);

/// A stripe has cache lines of its own: 128 bytes, since processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe<const N: usize>([AtomicU64; N]);

const STRIPES: usize = 64;

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

impl<const N: usize> Striped<N> {
    /// All counters at zero.
    pub fn new() -> Self {
        Self((0..STRIPES).map(|_| Stripe([const { AtomicU64::new(0) }; N])).collect())
    }

    /// Adds one to a counter, and gives what was counted in this stripe before. A counter that does not exist is not
    /// counted.
    #[inline]
    pub fn add(&self, counter: usize) -> u64 {
        let stripe = STRIPE.try_with(|it| *it).unwrap_or(0); // a thread that is ending has none left
        match self.0.get(stripe).and_then(|stripe| stripe.0.get(counter)) {
            Some(counter) => counter.fetch_add(1, Ordering::Relaxed),
            None => 0,
        }
    }

    /// The counters' sums.
    pub fn sums(&self) -> [u64; N] {
        std::array::from_fn(|counter| {
            let values = self.0.iter().filter_map(|stripe| stripe.0.get(counter));
            values.map(|it| it.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
        })
    }
}

impl<const N: usize> Default for Striped<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
