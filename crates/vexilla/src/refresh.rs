//! The refresh path, top to bottom: fetch, compile, publish, tell. Everything that wants a refresh meets in one task.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use vexilla_domain::{
    Fetch, Fetched, Level, Marker, Problem, Revision, SourceErrorKind, Strictness,
};
use vexilla_eval::{Compilation, Ruleset};

use crate::config::{Config, ExportPolicy};
use crate::error::RefreshError;
use crate::export;
use crate::parts::Parts;
use crate::published::Published;
use crate::shared::Shared;

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refreshed {
    /// The flags are those that were there before.
    Unchanged,
    /// New rules were published.
    Published(Revision),
}

/// Who waits for a refresh.
pub(crate) type Waiter = oneshot::Sender<Result<Refreshed, RefreshError>>;

/// Brings the rules up to date. One lives in each client, in a task of its own.
#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) parts: Parts,
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    /// What the source knows the published flags by.
    pub(crate) marker: Option<Marker>,
}

impl Refresher {
    /// Refreshes once. Whatever goes wrong, the rules that were there before are served on.
    pub(crate) async fn refresh(&mut self) -> Result<Refreshed, RefreshError> {
        let started = self.parts.clock.now();
        let outcome = self.fetch_and_publish().await;
        let finished = self.parts.clock.now();
        let took = finished.duration_since(started).unwrap_or(Duration::ZERO);
        match &outcome {
            Ok(refreshed) => {
                self.shared.cell.load().confirm(finished);
                if self.shared.counts.succeeded(took) > 0 {
                    info!("the source answers again");
                }
                debug!(?refreshed, ?took, "refreshed");
            }
            Err(error) => {
                self.shared.cell.load().mark_stale();
                // An outage is told once, and again when its reason changes. A start that fails is told by its caller.
                let is_news = self.shared.counts.failed(took, error);
                if is_news && self.marker.is_some() {
                    let source = self.parts.source.describe();
                    warn!(
                        "refresh from {source} failed, the last good flags are served on: {error}"
                    );
                }
            }
        }
        outcome
    }

    async fn fetch_and_publish(&mut self) -> Result<Refreshed, RefreshError> {
        let previous = self.shared.cell.load_full();
        let fetched = match self.parts.source.fetch(self.marker.as_ref()).await? {
            Fetch::Unchanged(marker) => {
                self.marker = Some(marker);
                return Ok(Refreshed::Unchanged);
            }
            Fetch::Changed(fetched) => fetched,
        };
        let marker = fetched.marker.clone();
        let (strictness, export) = (self.parts.source.strictness(), self.config.export);
        let published = spawn_blocking({
            let previous = Arc::clone(&previous);
            move || publication(fetched, strictness, export, &previous)
        })
        .await
        .map_err(|error| {
            RefreshError::new(SourceErrorKind::Invalid, format!("compiling the flags: {error}"))
        })?;
        let revision = published.revision;
        published.confirm(self.parts.clock.now()); // before anybody can see it
        let published = Arc::new(published);
        self.shared.cell.publish(Arc::clone(&published));
        report(&published, &previous.problems);
        self.marker = Some(marker);
        Ok(Refreshed::Published(revision))
    }

    /// Refreshes again and again until cancelled, and at once for whoever asks. Those who ask while one is under way
    /// share the next one.
    pub(crate) async fn run(
        mut self,
        mut waiters: mpsc::Receiver<Waiter>,
        stop: CancellationToken,
    ) {
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.pause()) => {}
                Some(waiter) = waiters.recv() => waiting.push(waiter),
            }
            while let Ok(waiter) = waiters.try_recv() {
                waiting.push(waiter);
            }
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.refresh() => outcome,
            };
            for waiter in waiting {
                let _ = waiter.send(outcome.clone()); // who no longer waits need not know
            }
        }
    }

    /// How long to wait for the next refresh: the interval, less after failures, give or take 10 % so that a fleet does
    /// not come all at once.
    fn pause(&self) -> Duration {
        let failures = self.shared.counts.consecutive_failures();
        let interval = self.config.refresh_interval;
        let interval = match failures.checked_sub(1) {
            None => interval,
            Some(earlier) => interval.min(Duration::from_secs(1) * 2_u32.pow(earlier.min(5))),
        };
        interval.mul_f64(0.9 + 0.2 * crate::shared::random_fraction())
    }
}

/// Compiles fetched flags into what is to be published.
fn publication(
    fetched: Fetched,
    strictness: Strictness,
    export: ExportPolicy,
    previous: &Published,
) -> Published {
    let Fetched { flags, problems, .. } = fetched;
    let Compilation { ruleset, problems, .. } =
        Ruleset::compile(&flags, problems, strictness, Some(&previous.ruleset));
    let export = match export {
        ExportPolicy::Drop => None,
        ExportPolicy::Keep => Some(export::document(&ruleset, &flags, previous.export.as_deref())),
    };
    let revision =
        Revision { epoch: previous.revision.epoch, sequence: previous.revision.sequence + 1 };
    Published::new(ruleset, revision, problems, export)
}

/// Logs what is wrong with flags, each thing once for as long as it stays wrong.
fn report(published: &Published, known: &[Problem]) {
    info!(flags = published.ruleset.len(), revision = %published.revision, "rules published");
    for problem in
        published.problems.iter().filter(|it| it.level == Level::Error && !known.contains(it))
    {
        warn!("{problem}; the flag is quarantined");
    }
}
