//! A breaker from outside: against a model, with threads, before a tower service.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod model;
#[cfg(feature = "tower")]
mod service;
mod threads;

use std::time::Instant;

use vexilla_breaker::{Breaker, Permit};

/// Any time will do: all others are counted from it.
#[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
fn start() -> Instant {
    Instant::now()
}

/// What the compiler does not promise by itself.
#[test]
fn handles_go_to_other_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Breaker>();
    check::<Permit>();
    #[cfg(feature = "tower")]
    check::<vexilla_breaker::BreakerService<(), fn()>>();
}
