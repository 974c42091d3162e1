//! The places for connections. When all are taken, whoever has been silent for longest loses his to the next one: nobody
//! keeps others out by saying nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::AbortHandle;
use tokio::sync::Notify;

use super::LiveConfig;
use super::pace::Pace;
use super::stage::Stage;

/// How long to wait before looking again for somebody who is silent, while all are busy.
const AGAIN: Duration = Duration::from_millis(50);

/// How long to wait for a place that somebody is losing.
const LOSING: Duration = Duration::from_secs(2);

/// As many as the configuration says at the moment.
#[derive(Debug)]
pub(super) struct Places {
    config: LiveConfig,
    pace: Pace,
    taken: Arc<Taken>,
}

/// Who has one, by number.
#[derive(Debug, Default)]
struct Taken {
    seats: Mutex<Seats>,
    /// Tells the one who takes places that somebody left.
    left: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    by_number: HashMap<u64, Seat>,
}

#[derive(Debug)]
struct Seat {
    stage: Stage,
    ender: AbortHandle,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    taken: Arc<Taken>,
}

impl Places {
    pub(super) fn new(config: LiveConfig, pace: Pace) -> Self {
        Self { config, pace, taken: Arc::default() }
    }

    /// Takes a place for a connection in this stage: a free one, or that of who has been silent for longest. While all
    /// are busy it waits. One at a time takes. `ender` ends the connection.
    pub(super) async fn take(&self, stage: Stage, ender: AbortHandle) -> Place {
        loop {
            if self.taken.count() < self.config.now().max_connections {
                stage.begin(self.pace);
                return self.taken.seat(stage, ender);
            }
            tokio::select! {
                biased;
                () = self.taken.left.notified() => {}
                () = self.evict() => {}
            }
        }
    }

    /// Has every connection end once no request is there.
    pub(super) fn stop(&self) {
        self.taken.seats().by_number.values().for_each(|it| it.stage.stop());
    }

    /// Ends every connection.
    pub(super) fn cut(&self) {
        self.taken.seats().by_number.values().for_each(|it| it.ender.abort());
    }

    async fn evict(&self) {
        let pause = match self.taken.longest_silent(self.pace.now()) {
            Some(silent) => {
                tracing::debug!("a silent connection makes room for another one");
                silent.abort();
                LOSING
            }
            None => AGAIN,
        };
        tokio::time::sleep(pause).await;
    }
}

impl Taken {
    fn count(&self) -> usize {
        self.seats().by_number.len()
    }

    fn seat(self: &Arc<Self>, stage: Stage, ender: AbortHandle) -> Place {
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.by_number.insert(number, Seat { stage, ender });
        Place { number, taken: Arc::clone(self) }
    }

    fn longest_silent(&self, now: u64) -> Option<AbortHandle> {
        let seats = self.seats();
        let silent = seats.by_number.iter().filter_map(|(number, seat)| {
            let silent = seat.stage.silent_from().filter(|it| *it <= now)?;
            Some(((silent, *number), &seat.ender))
        });
        silent.min_by_key(|it| it.0).map(|it| it.1.clone())
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.seats().by_number.remove(&self.number);
        self.taken.left.notify_one();
    }
}
