//! What a client is made of.

use std::sync::Arc;

use vexilla_domain::{Clock, FlagSource};

use crate::clock::SystemClock;

/// Everything a client needs from outside. Start from [`Parts::new`], or from the builder, which does no more.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Where flags come from.
    pub source: Arc<dyn FlagSource>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Parts {
    /// This source, and the real thing for everything else.
    pub fn new(source: Arc<dyn FlagSource>) -> Self {
        Self { source, clock: Arc::new(SystemClock) }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
