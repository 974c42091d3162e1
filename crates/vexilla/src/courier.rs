//! What is to reach Flagr: taken at once, kept, and delivered in batches by a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vexilla_domain::{ArchiveError, ExposeError, ExposeErrorKind, QueueCounts};

use crate::exposure_config::ExposureConfig;
use backlog::Backlog;
use counts::Counts;
use delivery::Delivery;
use task::Task;

mod backlog;
mod complaint;
mod counts;
pub(crate) mod delivery;
mod pieces;
mod shown;
mod task;

/// Takes records. The task behind it ends with the token that it was started with.
#[derive(Debug)]
pub(crate) struct Courier {
    inbox: mpsc::UnboundedSender<Parcel>,
    room: Arc<Room>,
    counts: Arc<Counts>,
}

/// Records that were handed over together.
#[derive(Debug)]
struct Parcel {
    records: Vec<Box<[u8]>>,
    /// Is told when they are kept. Nobody waits for those that may be lost.
    kept: Option<oneshot::Sender<Result<(), ExposeError>>>,
}

impl Parcel {
    fn bytes(&self) -> usize {
        self.records.iter().map(|it| it.len()).sum()
    }
}

/// How much may wait in memory, and does.
#[derive(Debug)]
struct Room {
    most_records: usize,
    most_bytes: usize,
    records: AtomicUsize,
    bytes: AtomicUsize,
}

impl Room {
    /// Takes a place for them, if there is one.
    fn enter(&self, records: usize, bytes: usize) -> bool {
        let before = self.records.fetch_add(records, Ordering::Relaxed);
        let bytes_before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(records) <= self.most_records
            && bytes_before.saturating_add(bytes) <= self.most_bytes;
        if !fits {
            self.leave(records, bytes);
        }
        fits
    }

    fn leave(&self, records: usize, bytes: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Courier {
    /// Opens what was kept, in the spool's folder of this name, and starts to deliver it.
    ///
    /// # Errors
    ///
    /// If the spool cannot be used.
    pub(crate) async fn start(
        config: &ExposureConfig,
        folder: &'static str,
        delivery: Arc<dyn Delivery>,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, ArchiveError> {
        let backlog = Backlog::open(config, folder).await?;
        let (inbox, parcels) = mpsc::unbounded_channel();
        let room = Arc::new(Room {
            most_records: config.queue,
            most_bytes: config.queue_bytes,
            records: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        });
        let counts = Arc::new(Counts::new(backlog.dropped()));
        let courier = Self { inbox, room: Arc::clone(&room), counts: Arc::clone(&counts) };
        let task = Task::new(config.clone(), parcels, backlog, delivery, room, counts);
        tasks.spawn(task.run(stop));
        Ok(courier)
    }

    /// Takes records, all or none, and returns once they are kept.
    pub(crate) async fn take(&self, records: Vec<Box<[u8]>>) -> Result<(), ExposeError> {
        let count = records.len() as u64;
        if self.counts.is_unwanted() {
            self.counts.turned_away(count);
            return Err(ExposeError::new(ExposeErrorKind::NoFlagr, complaint::NOT_OFFERED));
        }
        let (kept, outcome) = oneshot::channel();
        if !self.hand_over(Parcel { records, kept: Some(kept) })? {
            self.counts.not_taken(count);
            return Err(ExposeError::new(ExposeErrorKind::Full, "too many exposures are waiting"));
        }
        outcome.await.map_err(|_| stopped())?
    }

    /// Takes a record without waiting. One that there is no place for is dropped.
    pub(crate) fn take_or_drop(&self, record: Box<[u8]>) {
        let taken = self.hand_over(Parcel { records: vec![record], kept: None });
        if !matches!(taken, Ok(true)) {
            self.counts.found_no_room();
        }
    }

    /// Gives whether there was room.
    fn hand_over(&self, parcel: Parcel) -> Result<bool, ExposeError> {
        let (records, bytes) = (parcel.records.len(), parcel.bytes());
        if !self.room.enter(records, bytes) {
            return Ok(false);
        }
        self.inbox.send(parcel).map(|()| true).map_err(|_| {
            self.room.leave(records, bytes);
            stopped()
        })
    }

    pub(crate) fn counts(&self) -> QueueCounts {
        let in_memory = |it: &AtomicUsize| it.load(Ordering::Relaxed) as u64;
        self.counts.read(in_memory(&self.room.records), in_memory(&self.room.bytes))
    }
}

fn stopped() -> ExposeError {
    ExposeError::new(ExposeErrorKind::Stopped, "the client was stopped")
}

#[cfg(test)]
mod tests;
