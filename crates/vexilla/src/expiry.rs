//! When rules get too old to decide, watched apart from what the refresher does: it may be waiting for a source that hangs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;

use crate::published::{Published, millis};
use crate::refresh::Refresher;
use crate::schedule::at;
use crate::shared::Shared;

/// When the rules are too old to decide, if they ever are. The refresher sets it, in the task that waits for it too.
#[derive(Debug)]
pub(crate) struct Expiry(watch::Sender<Option<Instant>>);

impl Expiry {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    fn set(&self, due: Option<Instant>) {
        self.0.send_replace(due);
    }
}

impl Shared {
    /// Marks the rules as too old when they are. Never ends.
    pub(crate) async fn expire(self: Arc<Self>) {
        let mut expiry = self.expiry.0.subscribe();
        loop {
            let due = *expiry.borrow_and_update();
            tokio::select! {
                biased;
                // INVARIANT: it cannot fail, since the sender is in `self`.
                _ = expiry.changed() => {}
                () = at(due) => {
                    self.expiry.set(None);
                    self.cell.load().mark_expired();
                    warn!("the source has not confirmed the flags for too long, the fallback applies");
                }
            }
        }
    }
}

impl Refresher {
    /// Says for how long rules decide that the source confirmed now.
    pub(crate) fn expire_from_now(&self) {
        self.shared.expiry.set(self.config.max_staleness.map(|most| Instant::now() + most));
    }

    /// Says for how long rules decide that the source confirmed at this time. Those that are too old already never do.
    pub(crate) fn expire_from(&self, published: &Published, refreshed_at_ms: u64) {
        let age = millis(self.parts.clock.now()).saturating_sub(refreshed_at_ms);
        let left =
            self.config.max_staleness.map(|it| it.saturating_sub(Duration::from_millis(age)));
        if left == Some(Duration::ZERO) {
            published.mark_expired();
        }
        self.shared.expiry.set(left.map(|left| Instant::now() + left));
    }
}
