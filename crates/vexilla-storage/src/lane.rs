//! One thread for work that many would otherwise do each on a thread of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{fmt, io, thread};

use tokio::sync::oneshot;

/// A thread that does one piece of work after the other, for as long as this is there.
///
/// Memory is why: allocators keep what a thread has freed for that thread. What is read, parsed and compiled here uses the
/// same memory again and again, where the threads of a pool keep as much each.
///
/// Work that takes long lets other work [go before](Self::give_way).
pub struct Lane {
    name: &'static str,
    queue: Arc<Queue>,
    /// Whether the thread was started. It is with the first work.
    started: Mutex<bool>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    short: VecDeque<Work>,
    long: VecDeque<Work>,
    ended: bool,
}

type Work = Box<dyn FnOnce() + Send>;

/// The work of a [`Lane`] was not done: its thread could not be started, or the work panicked.
#[derive(Debug)]
pub struct NotDone(Option<io::Error>);

impl Lane {
    /// A lane whose thread, when it is started, is called this.
    pub fn new(name: &'static str) -> Self {
        Self { name, queue: Arc::default(), started: Mutex::new(false) }
    }

    /// Does work that somebody waits for. It is not begun once nobody does.
    ///
    /// # Errors
    ///
    /// If it could not be done.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        self.queue(work, |waiting| &mut waiting.short).await
    }

    /// Does work that takes long, after all that does not.
    ///
    /// # Errors
    ///
    /// If it could not be done.
    pub async fn run_long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        self.queue(work, |waiting| &mut waiting.long).await
    }

    /// Does what others wait for, in the middle of long work. To be called on the lane's own thread.
    pub fn give_way(&self) {
        while let Some(work) = self.queue.next_short() {
            work();
        }
    }

    async fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        which: impl FnOnce(&mut Waiting) -> &mut VecDeque<Work>,
    ) -> Result<T, NotDone> {
        let done = {
            let (done, outcome) = oneshot::channel();
            let work = move || {
                if done.is_closed() {
                    return;
                }
                // Whoever waits is told of a panic by nothing being sent.
                if let Ok(result) = catch_unwind(AssertUnwindSafe(work)) {
                    let _ = done.send(result);
                }
            };
            self.start().map_err(|error| NotDone(Some(error)))?;
            which(&mut self.queue.waiting()).push_back(Box::new(work));
            self.queue.wake.notify_one();
            outcome
        };
        done.await.map_err(|_| NotDone(None))
    }

    fn start(&self) -> io::Result<()> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*started {
            let queue = Arc::clone(&self.queue);
            thread::Builder::new().name(self.name.to_owned()).spawn(move || queue.work_off())?;
            *started = true;
        }
        Ok(())
    }
}

impl Queue {
    /// Until the lane is gone; what waits then is dropped.
    fn work_off(&self) {
        while let Some(work) = self.next() {
            work();
        }
    }

    fn next(&self) -> Option<Work> {
        let mut waiting = self.waiting();
        loop {
            if waiting.ended {
                return None;
            }
            if let Some(work) = waiting.short.pop_front().or_else(|| waiting.long.pop_front()) {
                return Some(work);
            }
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next_short(&self) -> Option<Work> {
        self.waiting().short.pop_front()
    }

    /// INVARIANT: no work is done under the lock.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread ends by itself: dropping does not wait for it.
impl Drop for Lane {
    fn drop(&mut self) {
        self.queue.waiting().ended = true;
        self.queue.wake.notify_one();
    }
}

impl std::error::Error for NotDone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_ref().map(|it| it as _)
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "a thread cannot be started",
            None => "the work was given up",
        })
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
