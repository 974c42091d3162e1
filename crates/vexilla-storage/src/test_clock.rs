//! A clock that goes when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vexilla_domain::Clock;

#[derive(Debug)]
pub(crate) struct TestClock {
    beginning: Instant,
    millis: AtomicU64,
}

impl TestClock {
    /// When it begins, in milliseconds since the Unix epoch.
    pub(crate) const BEGINNING_MS: u64 = 1_000_000;

    #[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { beginning: Instant::now(), millis: AtomicU64::new(0) })
    }

    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(Self::BEGINNING_MS) + self.passed()
    }

    fn instant(&self) -> Instant {
        self.beginning + self.passed()
    }
}
