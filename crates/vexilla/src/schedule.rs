//! When the refresher works: at intervals, when it is asked to, when it hears of a change, until it is told to stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use vexilla_domain::FlagArchive;

use crate::error::RefreshError;
use crate::refresh::{Refreshed, Refresher};
use crate::requests::{Request, Waiter, Work};

/// How long somebody waits for a source to show what it has announced. Longer than any Flagr's lag should be.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much later than the reading of notes a look is at least.
const AFTER_NOTES: Duration = Duration::from_millis(250);

/// How long the end may wait for a save.
const LAST_SAVE: Duration = Duration::from_secs(5);

impl Refresher {
    /// Works again and again until cancelled. Wishes that come while it works share the next turn.
    pub(crate) async fn run(
        mut self,
        mut requests: mpsc::Receiver<Request>,
        stop: CancellationToken,
    ) {
        let mut expire = pin!(Arc::clone(&self.shared).expire());
        loop {
            let work = async {
                let work = self.next(&mut requests).await;
                self.work(work).instrument(Self::span()).await;
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = &mut expire => {}
                () = work => {}
            }
        }
        // What was published last is kept for the next start, if that does not take too long.
        let _ = timeout(LAST_SAVE, self.save()).await;
        if let Some(archive) = &self.parts.archive {
            archive.release().await;
        }
    }

    /// One turn, for all who want it.
    async fn work(&mut self, mut work: Work) {
        let waiters = std::mem::take(&mut work.waiters);
        let now = Instant::now();
        self.waiting.extend(work.patient.drain(..).map(|waiter| (now, waiter)));
        let outcome = self.turn(work).await;
        self.answer(waiters, outcome);
        self.save().await;
    }

    /// Answers those who wait: for this turn, or until the source shows all that it knows. A source that changes all the
    /// time may never get there, so nobody waits for that beyond all patience.
    fn answer(&mut self, waiters: Vec<Waiter>, outcome: Result<Refreshed, RefreshError>) {
        let send = |waiter: Waiter, outcome: &Result<_, _>| {
            let _ = waiter.send(outcome.clone()); // who no longer waits need not know
        };
        for waiter in waiters {
            send(waiter, &outcome);
        }
        if let Ok(news @ Refreshed::Published(_)) = outcome {
            self.news = Some(news);
        }
        let outcome = match (outcome, self.news) {
            (Ok(Refreshed::Unchanged), Some(news)) => Ok(news), // of an earlier turn, while they waited
            (outcome, _) => outcome,
        };
        let settled = self.again_in.is_none();
        let (done, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(since, _)| settled || PATIENCE <= since.elapsed());
        self.waiting = waiting;
        for (_, waiter) in done {
            send(waiter, &outcome);
        }
        if settled {
            self.news = None;
        }
    }

    /// The next thing to do.
    async fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Work {
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                Some(request) = requests.recv() => return Work::of(request, requests),
                () = shared.notes.left() => self.debounce.noted(Instant::now()),
                () = at(self.debounce.due()) => {
                    self.debounce.over();
                    let noted = shared.notes.take();
                    let work = Work { reread: noted.flags, reread_all: noted.everything, ..Work::default() };
                    return work;
                }
                () = archive_changed(self.parts.archive.as_deref()) => {
                    return Work { load: true, ..Work::default() };
                }
                () = sleep_until(self.look_due()) => return Work::due(),
                // Which flags are kept changes with the hour, and only the source has those that are not.
                () = at(self.hours_due) => {
                    self.hours_due = None;
                    return Work { reread_all: true, ..Work::default() };
                }
            }
        }
    }

    /// When to look next. While notes wait to be read a look would only find that something changed: it comes after them.
    /// Where they never end it does come.
    fn look_due(&self) -> Instant {
        match self.debounce.due() {
            Some(read) if self.due < read + AFTER_NOTES => {
                (read + AFTER_NOTES).min(self.due + PATIENCE)
            }
            _ => self.due,
        }
    }

    /// Plans the next look: soon where the source asks for it, else after the interval, or sooner after failures; give or
    /// take 10 %, so that a fleet does not come all at once. What was no look itself does not put one off.
    pub(crate) fn schedule(&mut self, looked: bool, failed: bool) {
        let interval = self.config.refresh_interval;
        // What the breaker refused is a failure here too, though it is not counted: something may have changed.
        let failures = self.shared.counts.consecutive_failures().max(u32::from(failed));
        let pause = match (self.again_in, failures) {
            (Some(soon), _) => soon,
            (None, 0) => jittered(interval),
            (None, failures) => {
                let pause = Duration::from_secs(1) * 2_u32.pow((failures - 1).min(5));
                jittered(interval.min(pause))
            }
        };
        let due = Instant::now() + pause;
        self.due = if looked { due } else { self.due.min(due) };
    }
}

/// Give or take 10 %.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Ready at this time, if there is one.
pub(crate) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn archive_changed(archive: Option<&dyn FlagArchive>) {
    match archive {
        Some(archive) => archive.changed().await,
        None => std::future::pending().await,
    }
}
