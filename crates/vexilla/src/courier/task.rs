//! The task of a courier: keeps what comes in, sends one batch at a time, waits while Flagr is away.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use vexilla_domain::{ExposeError, ExposeErrorKind, with_causes};

use super::backlog::{Backlog, Settled};
use super::complaint::{Complaints, NO_ROOM};
use super::delivery::{Because, Delivery, Held, Undelivered};
use super::{Counts, Parcel, Room};
use crate::exposure_config::ExposureConfig;
use crate::schedule::at;

/// How many parcels are kept in one go.
const AT_ONCE: usize = 64;

/// How a delivery ended, with what is left of the batch.
type Ended = (Held, Result<(), Undelivered>);

#[derive(Debug)]
pub(super) struct Task {
    config: ExposureConfig,
    inbox: mpsc::UnboundedReceiver<Parcel>,
    /// Locked by this task alone; a spool is worked on where that may block.
    backlog: Arc<Mutex<Backlog>>,
    outlives: bool,
    delivery: Arc<dyn Delivery>,
    room: Arc<Room>,
    counts: Arc<Counts>,
    complaints: Complaints,
    /// How many wait, those on their way included.
    queued: u64,
    /// A batch that was not delivered, or not all of it.
    held: Option<Held>,
    sending: Option<AbortOnDropHandle<Ended>>,
    /// Since when the oldest one waits that was not looked at.
    waiting_since: Option<Instant>,
    /// Flagr, or the disk, is left alone until then.
    not_before: Option<Instant>,
    failures: u32,
    /// When what was written is to be safe from a power failure.
    sync_at: Option<Instant>,
}

impl Task {
    pub(super) fn new(
        config: ExposureConfig,
        inbox: mpsc::UnboundedReceiver<Parcel>,
        backlog: Backlog,
        delivery: Arc<dyn Delivery>,
        room: Arc<Room>,
        counts: Arc<Counts>,
    ) -> Self {
        let queued = backlog.queued();
        let outlives = backlog.outlives();
        if 0 < queued {
            info!(count = queued, "{} of a former run wait to be sent", delivery.what());
        }
        let task = Self {
            config,
            inbox,
            backlog: Arc::new(Mutex::new(backlog)),
            outlives,
            delivery,
            room,
            counts,
            complaints: Complaints::default(),
            queued,
            held: None,
            sending: None,
            waiting_since: (0 < queued).then(Instant::now),
            not_before: None,
            failures: 0,
            sync_at: None,
        };
        task.show_queued();
        task
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut parcels = Vec::new();
        let counts = Arc::clone(&self.counts);
        loop {
            let (due, sync_at) = (self.due(), self.sync_at);
            let complain_at = self.complain();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                ended = ended(&mut self.sending) => self.settle(ended).await,
                count = self.inbox.recv_many(&mut parcels, AT_ONCE) => match count {
                    0 => break,
                    _ => self.keep(std::mem::take(&mut parcels)).await,
                },
                () = at(due) => self.send().await,
                () = at(sync_at) => self.sync().await,
                () = counts.complained(), if complain_at.is_none() => {}
                () = at(complain_at) => {}
            }
        }
        self.finish().await;
    }

    /// When the next batch is to go. `None` while one is on its way, and where there is none.
    fn due(&self) -> Option<Instant> {
        if self.sending.is_some() {
            return None;
        }
        let full = u64::try_from(self.batch_size()).unwrap_or(u64::MAX) <= self.queued;
        let due = match self.waiting_since {
            _ if self.held.is_some() || full => Instant::now(),
            Some(since) => since + self.config.interval,
            None => return None,
        };
        Some(self.not_before.map_or(due, |it| due.max(it)))
    }

    fn batch_size(&self) -> usize {
        self.config.batch_size.min(self.delivery.most()).max(1)
    }

    async fn keep(&mut self, parcels: Vec<Parcel>) {
        let (mut waiting, mut contents, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for parcel in parcels {
            sizes.push((parcel.records.len(), parcel.bytes()));
            waiting.push(parcel.kept);
            contents.push(parcel.records);
        }
        let kept = self
            .on_backlog(|backlog| {
                let before = backlog.dropped();
                let kept: Vec<_> = contents.into_iter().map(|it| backlog.append(it)).collect();
                // What had to make room is lost, also where nothing could be written in its place.
                (kept, backlog.dropped() - before)
            })
            .await;
        let (kept, dropped) = kept.unwrap_or_default();
        let mut kept = kept.into_iter();
        for (waiting, (records, bytes)) in waiting.into_iter().zip(sizes) {
            let outcome = match kept.next() {
                Some(Ok(())) => Ok(()),
                Some(Err(error)) => Err(with_causes(&error)),
                None => Err("the queue has failed".to_owned()),
            };
            let count = records as u64;
            // In memory they keep their place until they are sent.
            if self.outlives || outcome.is_err() {
                self.room.leave(records, bytes);
            }
            if let Err(error) = &outcome {
                self.counts.ended(Some(error.as_str().into()));
                match waiting {
                    Some(_) => {
                        self.counts.rejected(count);
                        self.complaints.not_taken.add(count, error);
                    }
                    None => {
                        self.counts.dropped(count);
                        self.complaints.dropped.add(count, error);
                    }
                }
            }
            if let Some(waiting) = waiting {
                let refused = |it| ExposeError::new(ExposeErrorKind::Unavailable, it);
                let _ = waiting.send(outcome.map_err(refused)); // who does not wait any more is not told
            }
        }
        self.drop_counted(dropped, NO_ROOM);
        let now = Instant::now();
        self.waiting_since.get_or_insert(now);
        #[cfg(feature = "disk")]
        if self.outlives {
            self.sync_at.get_or_insert(now + self.config.sync_interval);
        }
        self.count_queued();
    }

    /// Sends the oldest batch, or what is left of it.
    async fn send(&mut self) {
        let mut held = match self.held.take() {
            Some(held) => held,
            None => {
                let most = self.batch_size();
                let looked = self.on_backlog(move |backlog| backlog.look(most)).await;
                match looked {
                    Some(Ok((left, through))) => {
                        if self.queued <= left.len() as u64 {
                            self.waiting_since = None;
                        }
                        Held { left, through, ..Held::default() }
                    }
                    Some(Err(error)) => return self.pause(&with_causes(&error), Because::Failed),
                    None => return self.pause("the queue has failed", Because::Failed),
                }
            }
        };
        let delivery = Arc::clone(&self.delivery);
        self.sending = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let outcome =
                if held.left.is_empty() { Ok(()) } else { delivery.deliver(&mut held).await };
            (held, outcome)
        })));
    }

    /// Notes what came of a batch.
    async fn settle(&mut self, ended: Option<Ended>) {
        let Some((held, outcome)) = ended else {
            return self.pause("a delivery has failed", Because::Failed);
        };
        if let Err(Undelivered { message, because }) = outcome {
            self.held = Some(held);
            return self.pause(&message, because);
        }
        self.counts.set_unwanted(false);
        self.complaints.not_offered.forget();
        let Held { through, mut arrived, refused, refusal, .. } = held;
        let settled = self
            .on_backlog(move |backlog| {
                // What was dropped on its way is counted already.
                let before = backlog.settled();
                arrived.retain(|it| before < *it);
                let arrived = arrived.len() as u64;
                (arrived, backlog.settle(through, arrived))
            })
            .await;
        let Some((arrived, Settled { lost, freed })) = settled else { return };
        self.room.leave(freed.0, freed.1);
        self.counts.delivered(arrived, refused);
        self.counts.dropped(lost);
        self.complaints.refused.add(refused, &refusal);
        if refused < lost {
            self.complaints.dropped.add(lost - refused, "they were damaged");
        }
        if 0 < self.failures {
            info!("{} are sent again", self.delivery.what());
        }
        (self.failures, self.not_before) = (0, None);
        self.counts.ended(None);
        self.count_queued();
        if self.queued == 0 {
            self.waiting_since = None;
        }
    }

    /// Leaves Flagr alone for a while, which grows from failure to failure.
    fn pause(&mut self, why: &str, because: Because) {
        let suspended = because == Because::Suspended;
        let doubled = self.config.retry_base.saturating_mul(1 << self.failures.min(16));
        // Asking an open breaker costs nothing, and it closes without a word.
        let longest = if suspended { self.config.retry_base } else { self.config.retry_max };
        let pause =
            doubled.min(longest).max(self.config.retry_base).mul_f64(0.5 + fastrand::f64() / 2.0);
        self.not_before = Some(Instant::now() + pause);
        self.failures = self.failures.saturating_add(1);
        match because {
            // That nobody is asked is no reason of its own.
            Because::Suspended if !self.counts.has_not_failed() => {}
            Because::Suspended | Because::Failed => {
                if self.fails(why) {
                    warn!(error = %why, "{} cannot be sent, and wait", self.delivery.what());
                }
            }
            // What waits is tried on: Flagr may be replaced by one that has it.
            Because::NotOffered => {
                self.counts.set_unwanted(true);
                self.counts.ended(Some(why.into()));
                self.complaints.not_offered.add(1, why);
            }
        }
    }

    /// Notes it, and gives whether it is news.
    fn fails(&self, why: &str) -> bool {
        !self.counts.ended(Some(why.into()))
    }

    /// Sends what waits, as far as that is possible in the time.
    async fn finish(mut self) {
        self.inbox.close();
        while let Some(parcel) = self.inbox.recv().await {
            self.keep(vec![parcel]).await;
        }
        let deadline = Instant::now() + self.config.flush_limit;
        self.not_before = None;
        self.failures = 0;
        while 0 < self.queued {
            // What is kept over a restart need not be tried again and again.
            if self.outlives && 0 < self.failures {
                break;
            }
            let pause = self.not_before.unwrap_or(deadline);
            if 0 < self.failures && timeout_at(deadline, sleep_until(pause)).await.is_err() {
                break;
            }
            if self.sending.is_none() {
                self.send().await;
            }
            match timeout_at(deadline, ended(&mut self.sending)).await {
                Ok(ended) => self.settle(ended).await,
                Err(_) => break,
            }
        }
        self.sending = None;
        self.sync().await;
        self.complaints.note(&self.counts);
        let what = self.delivery.what();
        if 0 < self.queued && self.outlives {
            info!(count = self.queued, "{what} wait on the disk for the next start");
        } else if 0 < self.queued {
            let (queued, through) = (self.queued, u64::MAX);
            self.on_backlog(move |backlog| backlog.settle(through, 0)).await;
            self.room.leave(usize::try_from(queued).unwrap_or(usize::MAX), 0);
            self.drop_counted(queued, "they could not be sent in time");
        }
        self.complaints.last_words(self.delivery.what());
    }

    /// Says what is to be said. Gives when there is more to say.
    fn complain(&mut self) -> Option<Instant> {
        self.complaints.note(&self.counts);
        self.complaints.say(self.delivery.what(), Instant::now())
    }

    async fn sync(&mut self) {
        self.sync_at = None;
        if !self.outlives {
            return;
        }
        if let Some(Err(error)) = self.on_backlog(Backlog::sync).await {
            let why = with_causes(&error);
            if self.fails(&why) {
                let what = self.delivery.what();
                warn!(error = %why, "{what} may not be there after a power failure");
            }
        }
    }

    /// Works on the backlog, where that may block if need be. `None` if that was not waited for.
    async fn on_backlog<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Backlog) -> T + Send + 'static,
    ) -> Option<T> {
        let backlog = Arc::clone(&self.backlog);
        let work = move || work(&mut backlog.lock().unwrap_or_else(PoisonError::into_inner));
        if self.outlives { tokio::task::spawn_blocking(work).await.ok() } else { Some(work()) }
    }

    fn drop_counted(&mut self, count: u64, why: &str) {
        self.counts.dropped(count);
        self.complaints.dropped.add(count, why);
    }

    fn count_queued(&mut self) {
        self.queued = self.backlog.lock().unwrap_or_else(PoisonError::into_inner).queued();
        self.show_queued();
    }

    fn show_queued(&self) {
        if self.outlives {
            let bytes = self.backlog.lock().unwrap_or_else(PoisonError::into_inner).bytes();
            self.counts.show_spooled(self.queued, bytes);
        }
    }
}

/// Ready when the batch that is on its way has ended; `None` if nobody waited for that.
async fn ended(sending: &mut Option<AbortOnDropHandle<Ended>>) -> Option<Ended> {
    let Some(handle) = sending else { return std::future::pending().await };
    let ended = handle.await.ok();
    *sending = None;
    ended
}
