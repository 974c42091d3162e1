//! Where the statistics come from that metrics show.

use std::fmt;
use std::sync::{Arc, OnceLock};

use vexilla_domain::Stats;

type Read = Box<dyn Fn() -> Stats + Send + Sync>;

/// Reads a client's statistics whenever metrics are collected. Clones read the same client.
///
/// An observer is made before the client that it observes, so a reader can be made first and told later.
#[derive(Clone, Default)]
pub struct StatsReader(Arc<OnceLock<Read>>);

impl StatsReader {
    /// Reads by calling this.
    pub fn new(read: impl Fn() -> Stats + Send + Sync + 'static) -> Self {
        let reader = Self::later();
        reader.provide(read);
        reader
    }

    /// Reads empty statistics until somebody provides others.
    pub fn later() -> Self {
        Self::default()
    }

    /// Reads by calling this from now on. Only the first call counts.
    ///
    /// It must not keep the client alive: whoever shows metrics lives as long as the client itself.
    pub fn provide(&self, read: impl Fn() -> Stats + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(read));
    }

    /// The statistics as they are now.
    pub fn read(&self) -> Stats {
        self.0.get().map_or_else(Stats::default, |read| read())
    }
}

impl fmt::Debug for StatsReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsReader").field("provided", &self.0.get().is_some()).finish()
    }
}
