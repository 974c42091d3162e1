//! How many requests are worked on at once.
//!
//! What is decided here is done when it is first looked at. What is not waits for somebody else, such as Flagr, and
//! counts by itself from then on: a Flagr that hangs takes no place from what is decided here, large batches and long
//! answers excepted, which let others have their turn and wait as well.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::poll_immediate;
use tokio::sync::Semaphore;

use crate::error::Refusal;

/// The places for requests.
#[derive(Debug)]
pub(crate) struct Limit {
    working: Semaphore,
    waiting: Semaphore,
    timeout: Duration,
}

impl Limit {
    /// So many may work, and as many wait, each for so long.
    pub(crate) fn new(most: usize, timeout: Duration) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { working: Semaphore::new(most), waiting: Semaphore::new(most), timeout }
    }

    /// Does the work if there is a place for it, and in time. It stays where it is: taken by value it would be held twice.
    pub(crate) async fn within<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = Result<T, Refusal>>>,
    ) -> Result<T, Refusal> {
        {
            let _place = self.working.try_acquire().map_err(|_| Refusal::overloaded())?;
            if let Some(result) = poll_immediate(work.as_mut()).await {
                return result;
            }
        }
        let _place = self.waiting.try_acquire().map_err(|_| Refusal::overloaded())?;
        // Its timer would take room in every request.
        let work = Box::pin(tokio::time::timeout(self.timeout, work));
        work.await.unwrap_or_else(|_| Err(Refusal::too_slow()))
    }
}
