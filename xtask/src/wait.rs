//! Waiting for what other processes do, never for longer than a limit, and not at all once the run is interrupted.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// How long a thing is waited for at most.
const LIMIT: Duration = Duration::from_secs(40);

/// Whether somebody wants the run to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Listens to Ctrl-C and to the signals that end a program.
    pub(crate) fn listening() -> Result<Self> {
        let interrupt = Self::default();
        let told = interrupt.clone();
        ctrlc::set_handler(move || told.tell()).context("cannot listen to Ctrl-C")?;
        Ok(interrupt)
    }

    pub(crate) fn tell(&self) {
        let (told, changed) = &*self.0;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    pub(crate) fn is_told(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries until it succeeds, and gives what came of it. The last failure is part of the error.
    pub(crate) fn until<T>(&self, what: &str, attempt: impl FnMut() -> Result<T>) -> Result<T> {
        self.within(LIMIT, what, attempt)
    }

    /// The same with another limit.
    #[expect(clippy::disallowed_methods, reason = "other processes do not know our clock")]
    pub(crate) fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        mut attempt: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if self.is_told() {
                bail!("interrupted while waiting for {what}");
            }
            match attempt() {
                Ok(result) => return Ok(result),
                Err(error) if started.elapsed() > limit => {
                    return Err(error).with_context(|| format!("no {what} within {limit:?}"));
                }
                Err(_) => self.pause(),
            }
        }
    }

    /// Waits for so long.
    pub(crate) fn rest(&self, time: Duration) -> Result<()> {
        let (told, changed) = &*self.0;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        match changed.wait_timeout_while(told, time, |it| !*it) {
            Ok((_, waited)) if waited.timed_out() => Ok(()),
            _ => bail!("interrupted"),
        }
    }

    fn pause(&self) {
        let (told, changed) = &*self.0;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken early or not, and whatever a thread that panicked left: the next look decides.
        drop(changed.wait_timeout_while(told, PAUSE, |it| !*it));
    }
}

#[cfg(test)]
mod tests;
