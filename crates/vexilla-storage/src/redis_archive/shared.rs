//! What the keeper and the callers of an archive both know.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tracing::warn;
use vexilla_domain::{ArchiveError, ArchiveErrorKind, ArchiveLayer, Revision};

use super::commands::Names;
use super::config::RedisConfig;
use super::link::Link;

/// For how many of its times the lease is left to others by one that could not do what comes with it.
const REST: u32 = 4;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: RedisConfig,
    pub(super) names: Names,
    /// `redis 127.0.0.1:6379/0`.
    pub(super) name: String,
    tls: Option<Tls>,
    state: watch::Sender<State>,
    leads: AtomicBool,
    /// Set when this instance got the lease, until somebody was told.
    took_over: AtomicBool,
    revisions: Mutex<Revisions>,
    news: Notify,
    /// What Redis refused last: it is reported once, not at each beat.
    refused: Mutex<Option<String>>,
    /// Until when this instance leaves the lease to others.
    rests_until: Mutex<Option<Instant>>,
    /// Woken when it begins to.
    rests: Notify,
}

/// Prints as little as its configuration does not say.
struct Tls(TlsConnector);

/// Whether Redis can be asked.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not known yet: the first attempt is on its way.
    Connecting,
    Up(MultiplexedConnection),
    Down(RedisError),
    /// The archive was released.
    Closed,
}

#[derive(Debug, Default)]
struct Revisions {
    /// What is in Redis, when it was looked at last.
    there: Option<Revision>,
    /// What this instance loaded or saved last.
    known: Option<Revision>,
}

impl Shared {
    pub(super) fn new(config: RedisConfig, names: Names, tls: Option<TlsConnector>) -> Self {
        Self {
            name: config.describe(),
            config,
            names,
            tls: tls.map(Tls),
            state: watch::Sender::new(State::Connecting),
            leads: AtomicBool::new(true),
            took_over: AtomicBool::new(false),
            revisions: Mutex::default(),
            news: Notify::new(),
            refused: Mutex::default(),
            rests_until: Mutex::default(),
            rests: Notify::new(),
        }
    }

    pub(super) async fn open(&self) -> Result<Link, RedisError> {
        let tls = self.tls.as_ref().map(|it| &it.0);
        Link::open(&self.config, tls, &self.names.channel, &self.names.token).await
    }

    /// How often the keeper looks: the lease must be renewed well before it ends.
    pub(super) fn beat(&self) -> Duration {
        self.config.lease / 3
    }

    // The keeper tells

    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Redis is gone: everybody asks Flagr for themselves. Nobody is woken for it, so that not all of them ask at once.
    pub(super) fn lose(&self, failure: &RedisError) {
        self.leads.store(true, Ordering::Release);
        let before = self.state.send_replace(State::Down(failure.clone()));
        if !matches!(&before, State::Down(before) if before.to_string() == failure.to_string()) {
            warn!("{}: {}: this one asks for itself", outage(&self.name, failure), detail(failure));
        }
    }

    pub(super) fn close(&self) {
        self.leads.store(false, Ordering::Release);
        self.set(State::Closed);
    }

    pub(super) fn see(&self, there: Option<Revision>) {
        let mut revisions = self.revisions();
        revisions.there = there;
        if revisions.there != revisions.known {
            self.news.notify_one();
        }
    }

    /// This instance has the lease. Whoever waits for news is told once, since nobody else asks Flagr any more.
    pub(super) fn lead(&self) {
        if !self.leads.swap(true, Ordering::AcqRel) {
            self.took_over.store(true, Ordering::Release);
            self.news.notify_one();
        }
    }

    pub(super) fn follow(&self) {
        self.leads.store(false, Ordering::Release);
    }

    pub(super) fn lead_without_lease(&self) {
        self.leads.store(true, Ordering::Release);
    }

    /// Whether the lease is left to others.
    pub(super) fn rests(&self) -> bool {
        let mut until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|it| it <= Instant::now()) {
            *until = None;
        }
        until.is_some()
    }

    /// Ready when the lease is to be left to others from now on.
    pub(super) async fn resting(&self) {
        self.rests.notified().await;
    }

    pub(super) fn note_refusal(&self, refusal: Option<&RedisError>) {
        let refusal = refusal.map(detail);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if *refused != refusal {
            if let Some(refusal) = &refusal {
                warn!("{} refuses: {refusal}", self.name);
            }
            *refused = refusal;
        }
    }

    // The callers ask

    /// The connection, if there is one. Waits only while the first attempt is on its way.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection, ArchiveError> {
        let unavailable = |message| ArchiveError::new(ArchiveErrorKind::Unavailable, message);
        match self.settled().await {
            State::Up(connection) => Ok(connection),
            State::Down(failure) => Err(self.unavailable(&failure)),
            State::Closed => Err(unavailable(format!("{} was let go", self.name))),
            State::Connecting => Err(unavailable(format!("{} is not there yet", self.name))),
        }
    }

    pub(super) async fn leads(&self) -> bool {
        self.settled().await;
        self.leads.load(Ordering::Acquire)
    }

    /// Leaves the lease to others for a while, if it is ours: they may get on where this instance does not.
    pub(super) fn step_back(&self) {
        if self.is(State::is_up) && self.leads.load(Ordering::Acquire) {
            let mut until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
            let rests = until.replace(Instant::now() + self.config.lease * REST).is_some();
            if !rests {
                self.rests.notify_one();
            }
        }
    }

    /// How it goes.
    pub(super) fn state(&self) -> ArchiveLayer {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut state = ArchiveLayer::new(self.name.clone());
        state.error = match &*self.state.borrow() {
            State::Up(_) => refused.map(|it| format!("{} refuses: {it}", self.name).into()),
            State::Down(failure) => {
                Some(format!("{}: {}", outage(&self.name, failure), detail(failure)).into())
            }
            State::Connecting => Some(format!("{} is not there yet", self.name).into()),
            State::Closed => Some(format!("{} was let go", self.name).into()),
        };
        state.leads = Some(self.leads.load(Ordering::Acquire));
        state
    }

    pub(super) async fn changed(&self) {
        loop {
            self.news.notified().await;
            let is_news = {
                let revisions = self.revisions();
                revisions.there != revisions.known
            };
            if self.took_over.swap(false, Ordering::AcqRel) || is_news {
                return;
            }
        }
    }

    /// Notes what was found or saved: it is no news any more. What is there now is left to the keeper: it may have seen
    /// something later meanwhile.
    pub(super) fn know(&self, revision: Option<Revision>) {
        self.revisions().known = revision;
    }

    pub(super) fn is(&self, state: impl Fn(&State) -> bool) -> bool {
        state(&self.state.borrow())
    }

    pub(super) fn unavailable(&self, failure: &RedisError) -> ArchiveError {
        let message = outage(&self.name, failure);
        ArchiveError::new(ArchiveErrorKind::Unavailable, message).with_source(detail(failure))
    }

    async fn settled(&self) -> State {
        let mut states = self.state.subscribe();
        match states.wait_for(|state| !matches!(state, State::Connecting)).await {
            Ok(state) => state.clone(),
            Err(_) => State::Closed, // INVARIANT: cannot be; the sender is in `self`
        }
    }

    fn revisions(&self) -> std::sync::MutexGuard<'_, Revisions> {
        self.revisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TLS")
    }
}

/// What Redis or the system says of a failure, in one line.
fn detail(failure: &RedisError) -> String {
    let text = match std::error::Error::source(failure) {
        // The text of the failure would only repeat it.
        Some(cause) => cause.to_string(),
        None => failure.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outage(name: &str, failure: &RedisError) -> String {
    match failure.kind() {
        ErrorKind::AuthenticationFailed => format!("{name} refuses the user or the password"),
        _ if failure.code() == Some("NOAUTH") => format!("{name} wants a password"),
        _ if failure.code() == Some("WRONGPASS") => {
            format!("{name} refuses the user or the password")
        }
        ErrorKind::Io if failure.is_timeout() => format!("{name} does not answer in time"),
        ErrorKind::Io => format!("{name} cannot be reached"),
        _ => format!("{name} refuses"),
    }
}
