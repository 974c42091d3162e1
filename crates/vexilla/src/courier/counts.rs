//! What a courier counts: the one place that statistics, metrics and its log read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use vexilla_domain::QueueCounts;

/// Counts what waits, is sent, and is lost.
#[derive(Debug)]
pub(super) struct Counts {
    /// Those on the disk that wait, and their bytes.
    spooled: AtomicU64,
    spooled_bytes: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
    rejected: AtomicU64,
    row_errors: AtomicU64,
    last_error: Mutex<Option<Box<str>>>,
    /// Those of the dropped, and of the rejected, that there was no room for and that the log was not told of yet.
    no_room: AtomicU64,
    not_taken: AtomicU64,
    /// Those of the rejected that Flagr has no path for, and that the log was not told of yet.
    turned_away: AtomicU64,
    /// The last that Flagr said is that it has no path for them.
    unwanted: AtomicBool,
    /// Wakes the one who tells the log.
    complained: Notify,
}

impl Counts {
    /// `dropped` were lost in former runs.
    pub(super) fn new(dropped: u64) -> Self {
        Self {
            spooled: AtomicU64::new(0),
            spooled_bytes: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(dropped),
            rejected: AtomicU64::new(0),
            row_errors: AtomicU64::new(0),
            last_error: Mutex::default(),
            no_room: AtomicU64::new(0),
            not_taken: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            unwanted: AtomicBool::new(false),
            complained: Notify::new(),
        }
    }

    /// So many were handed over in vain, and whoever did that is told.
    pub(super) fn not_taken(&self, count: u64) {
        self.rejected.fetch_add(count, Ordering::Relaxed);
        self.not_taken.fetch_add(count, Ordering::Relaxed);
        self.complained.notify_one();
    }

    /// So many were handed over that Flagr has no path for, and whoever did that is told.
    pub(super) fn turned_away(&self, count: u64) {
        self.rejected.fetch_add(count, Ordering::Relaxed);
        self.turned_away.fetch_add(count, Ordering::Relaxed);
        self.complained.notify_one();
    }

    /// One more was lost before it was kept.
    pub(super) fn found_no_room(&self) {
        self.dropped(1);
        self.no_room.fetch_add(1, Ordering::Relaxed);
        self.complained.notify_one();
    }

    pub(super) fn rejected(&self, count: u64) {
        self.rejected.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// So many arrived, and so many Flagr did not want.
    pub(super) fn delivered(&self, arrived: u64, refused: u64) {
        self.row_errors.fetch_add(refused, Ordering::Relaxed);
        self.sent.fetch_add(arrived, Ordering::Relaxed);
    }

    /// Shows what waits on the disk.
    pub(super) fn show_spooled(&self, records: u64, bytes: u64) {
        self.spooled.store(records, Ordering::Relaxed);
        self.spooled_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Notes how a delivery ended. Gives whether it ended so the last time.
    pub(super) fn ended(&self, error: Option<Box<str>>) -> bool {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = *last == error;
        *last = error;
        is_same
    }

    pub(super) fn has_not_failed(&self) -> bool {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Notes whether Flagr has no path for them, as far as it said.
    pub(super) fn set_unwanted(&self, unwanted: bool) {
        self.unwanted.store(unwanted, Ordering::Relaxed);
    }

    pub(super) fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Relaxed)
    }

    /// How many were dropped and not taken for want of room, and turned away, since this was asked last.
    pub(super) fn untold(&self) -> [u64; 3] {
        [&self.no_room, &self.not_taken, &self.turned_away].map(|it| it.swap(0, Ordering::Relaxed))
    }

    /// Ready when something was dropped or not taken.
    pub(super) async fn complained(&self) {
        self.complained.notified().await;
    }

    /// Everything, with what waits in memory.
    pub(super) fn read(&self, records: u64, bytes: u64) -> QueueCounts {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = QueueCounts::default();
        counts.queued = read(&self.spooled).saturating_add(records);
        counts.bytes = read(&self.spooled_bytes).saturating_add(bytes);
        counts.sent = read(&self.sent);
        counts.dropped = read(&self.dropped);
        counts.rejected = read(&self.rejected);
        counts.row_errors = read(&self.row_errors);
        counts.last_error.clone_from(&last_error);
        counts
    }
}
