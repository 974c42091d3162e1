//! The real time.

use std::time::{Instant, SystemTime};

use vexilla_domain::Clock;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}
