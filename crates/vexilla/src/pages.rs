//! What flags are made of, under a budget of memory: where it is kept, and how it comes back.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use vexilla_domain::{CacheCounts, Clock, Flag, FlagHead, FlagName, FlagRef, FlagState};
use vexilla_eval::{CompiledFlag, Ruleset, fingerprint};
use vexilla_storage::{BodyKey, BoundedBodies, CacheConfig, Lane};

use crate::builder::ClientBuilder;
use crate::client::Client;
use crate::error::ConfigError;
use crate::parts::Parts;
use crate::shared::Shared;

/// The bodies that are held, and those that somebody misses who cannot wait for them.
#[derive(Debug)]
pub(crate) struct Pages {
    bodies: Arc<BoundedBodies<CompiledFlag>>,
    /// What is offered while there is no room is not taken: whatever is evaluated comes in by itself.
    budget: u64,
    missed: Mutex<HashMap<BodyKey, Body>>,
    wake: Notify,
    /// Whatever makes bodies does it here: what is displaced then leaves room for what comes.
    lane: Lane,
}

/// Which body of which flag.
#[derive(Debug, Clone)]
struct Body {
    key: BodyKey,
    flag: FlagName,
    snapshot_id: u64,
}

pub(crate) type LoadFailure = Box<dyn Error + Send + Sync>;

/// More misses than this are not noted: they miss again.
const MOST_MISSED: usize = 1024;

impl ClientBuilder {
    /// Keeps what flags are made of (segments, variants) within so many bytes of memory, for more flags than memory should
    /// hold. The most used stay, the others are read from the archive, or from Flagr, when they are evaluated. What is
    /// needed to find a flag and to tell who decides it (key, id, tags, snapshot, some 300 bytes) stays in memory for each
    /// flag. Needs an archive: a folder is best, since it is read flag by flag; of a Redis alone all flags are read for
    /// each that is missed.
    ///
    /// Which flags exist never depends on what is held. A call that is awaited waits for what it misses, at most
    /// [`Config::miss_timeout`](crate::Config::miss_timeout), asks Flagr to decide where it cannot be had, and is
    /// [`Reason::Fallback`](crate::Reason::Fallback) without it. [`Client::local`] and handles never wait: they give
    /// [`Reason::NeedsRemote`](crate::Reason::NeedsRemote) for what is not held, and have it read in the background. While
    /// neither archive nor Flagr can be asked, what is held stays, however old.
    ///
    /// [`Client::export`] and [`Client::explain`] read nothing either; the sidecar and the admin API read what they need
    /// from the archive.
    pub fn memory_budget(self, bytes: u64) -> Self {
        self.memory_budget_with(CacheConfig::with_budget(bytes))
    }

    /// [`memory_budget`](Self::memory_budget) with all its settings. What is older than
    /// [`CacheConfig::default_ttl`] is read again.
    pub fn memory_budget_with(mut self, config: CacheConfig) -> Self {
        self.memory_budget = Some(config);
        self
    }
}

impl Parts {
    /// Keeps what flags are made of within a budget: see [`ClientBuilder::memory_budget`]. It takes its time from the clock
    /// that is set so far, and needs an archive.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn with_memory_budget(mut self, config: &CacheConfig) -> Result<Self, ConfigError> {
        let pages = Pages::new(config, Arc::clone(&self.clock))
            .map_err(|error| ConfigError::new("memory_budget", error.to_string()))?;
        self.pages = Some(Arc::new(pages));
        Ok(self)
    }

    /// Refuses a budget without an archive to read from.
    pub(crate) fn check_budget(&self) -> Result<(), ConfigError> {
        if self.pages.is_some() && self.archive.is_none() {
            let reason = "needs an archive, to read from it what is not in memory";
            return Err(ConfigError::new("memory_budget", reason));
        }
        Ok(())
    }

    pub(crate) fn is_paged(&self) -> bool {
        self.pages.is_some()
    }

    pub(crate) fn body_counts(&self) -> Option<CacheCounts> {
        Some(self.pages.as_ref()?.bodies.counts())
    }

    /// Makes rules, and the bodies with them: under a budget where all bodies are made.
    pub(crate) async fn make_rules<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoadFailure> {
        match &self.pages {
            Some(pages) => Ok(pages.lane.run_long(work).await?),
            None => Ok(spawn_blocking(work).await?),
        }
    }

    /// Lets those who wait for a body have it before more rules are made.
    pub(crate) fn give_way(&self) {
        if let Some(pages) = &self.pages {
            pages.lane.give_way();
        }
    }

    /// Takes a body that was just compiled, if there is room.
    pub(crate) fn offer_body(&self, flag: CompiledFlag) {
        if let Some(pages) = &self.pages {
            pages.offer(flag);
        }
    }

    /// Forgets the bodies of flags that have others now, or none. May wait for another thread.
    pub(crate) fn forget_bodies(&self, before: &Ruleset, now: &Ruleset) {
        let Some(pages) = &self.pages else { return };
        let is_held = |it: &&CompiledFlag| {
            now.by_id(it.head().id).is_some_and(|now| now.fingerprint() == it.fingerprint())
        };
        for flag in before.flags().filter(|it| it.is_paged() && !is_held(it)) {
            pages.bodies.remove(&key(flag));
        }
    }

    /// Whatever could not be had before, the source is there again.
    pub(crate) fn resume_expiry(&self) {
        if let Some(pages) = &self.pages {
            pages.bodies.resume_expiry();
        }
    }

    /// Loads what those miss who cannot wait, until cancelled.
    pub(crate) async fn load_missed(self, shared: Arc<Shared>, stop: CancellationToken) {
        let Some(pages) = self.pages.clone() else { return };
        let work = async {
            loop {
                pages.wake.notified().await;
                while let Some(missed) = pages.next() {
                    let load = self.load(&pages, &missed, &shared);
                    if let Err(error) = pages.bodies.get_or_load(missed.key, load).await {
                        debug!(%error, "a flag that is not in memory cannot be loaded");
                    }
                    pages.missed().remove(&missed.key);
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// Reads a body from the archive, or from the source where the archive has it not, or not this one.
    async fn load(
        &self,
        pages: &Pages,
        wanted: &Body,
        shared: &Shared,
    ) -> Result<Option<Arc<CompiledFlag>>, LoadFailure> {
        let is_wanted = |flag: &Flag| {
            flag.key == wanted.flag.key && fingerprint(flag) == wanted.key.fingerprint
        };
        let compiled = |flag: Flag| {
            let strictness = self.source.strictness();
            let (bodies, key) = (Arc::clone(&pages.bodies), wanted.key);
            pages.lane.run(move || {
                let body = Arc::new(CompiledFlag::compile(&flag, strictness)?);
                bodies.insert(key, Arc::clone(&body));
                Some(body)
            })
        };
        if let Some(archive) = &self.archive {
            match archive.load_flag(wanted.flag.id, &is_wanted).await {
                Ok(found) => {
                    if let Some(flag) = found.filter(&is_wanted)
                        && let Some(flag) = compiled(flag).await?
                    {
                        return Ok(Some(flag));
                    }
                }
                Err(error) => debug!(%error, "a flag cannot be read from the archive"),
            }
        }
        let asked = FlagRef { id: wanted.flag.id.0, key: &wanted.flag.key };
        match self.source.fetch_flag(asked).await? {
            FlagState::Found(flag) if is_wanted(&flag) => Ok(compiled(*flag).await?),
            // The rules will follow. Until then a newer version is as good, and an older one is not.
            FlagState::Found(flag) if flag.id == wanted.flag.id => {
                let snapshot_id = flag.snapshot_id.0;
                if wanted.snapshot_id < snapshot_id {
                    shared.notes.leave(std::slice::from_ref(&wanted.flag));
                }
                let is_new_enough = snapshot_id > 0 && wanted.snapshot_id <= snapshot_id;
                let flag = if is_new_enough { compiled(*flag).await? } else { None };
                flag.map(Some).ok_or_else(|| "the source has another version of it".into())
            }
            FlagState::Gone { .. } => {
                shared.notes.leave(std::slice::from_ref(&wanted.flag));
                Err("the source has it no more".into())
            }
            FlagState::Found(_) | FlagState::Unknown => {
                Err("neither archive nor source can give it".into())
            }
        }
    }
}

impl Client {
    /// What a flag of the rules is made of, read if it is not in memory. `None` where it cannot be had now.
    pub(crate) async fn body(&self, shell: &CompiledFlag) -> Option<Arc<CompiledFlag>> {
        let pages = self.parts().pages.as_ref()?;
        let wanted = Body::of(shell);
        let load = self.parts().load(pages, &wanted, self.shared());
        let loaded =
            timeout(self.config().miss_timeout, pages.bodies.get_or_load(wanted.key, load));
        let body = match loaded.await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => {
                debug!(%error, "a flag that is not in memory cannot be loaded");
                None
            }
            Err(_) => {
                pages.miss(wanted);
                pages.bodies.get_even_expired(&key(shell))
            }
        };
        body.inspect(|it| count_as(shell, it))
    }

    /// The same without waiting: what is not in memory, or too old, is read in the background.
    pub(crate) fn held_body(&self, shell: &CompiledFlag) -> Option<Arc<CompiledFlag>> {
        let pages = self.parts().pages.as_ref()?;
        let held = pages.bodies.held(&key(shell));
        if held.as_ref().is_none_or(|(_, is_due)| *is_due) {
            pages.miss(Body::of(shell));
        }
        held.map(|(body, _)| body).inspect(|it| count_as(shell, it))
    }

    /// The definition of a flag of the rules, out of the archive.
    pub(crate) async fn archived_definition(&self, shell: &CompiledFlag) -> Option<Flag> {
        let wanted = shell.fingerprint();
        let archive = self.parts().archive.as_ref()?;
        let is_wanted = |it: &Flag| fingerprint(it) == wanted;
        archive.load_flag(shell.head().id, &is_wanted).await.ok()?
    }
}

/// The body takes its place among the counters of flags from what the rules know of the flag.
fn count_as(shell: &CompiledFlag, body: &CompiledFlag) {
    if body.tag() != shell.tag() {
        body.set_tag(shell.tag());
    }
}

impl Pages {
    fn new(
        config: &CacheConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, vexilla_storage::CacheConfigError> {
        // What the cache has taken and not looked at yet may be an eighth more than it is to hold.
        let mut config = config.clone();
        config.max_cost -= config.max_cost / 9;
        Ok(Self {
            budget: config.max_cost,
            bodies: Arc::new(BoundedBodies::new(&config, clock, CompiledFlag::heap_bytes)?),
            missed: Mutex::default(),
            wake: Notify::new(),
            lane: Lane::new("vexilla-flags"),
        })
    }

    /// Once it is full the cache looks at all that it holds for each body that it lets in. For what nobody has asked for yet
    /// that is too much, so the last eighth is left to what somebody does.
    fn offer(&self, flag: CompiledFlag) {
        if self.bodies.counts().bytes < self.budget - self.budget / 8 {
            self.bodies.insert(key(&flag), Arc::new(flag));
        }
    }

    fn miss(&self, body: Body) {
        let mut missed = self.missed();
        if missed.len() < MOST_MISSED {
            missed.insert(body.key, body);
            self.wake.notify_one();
        }
    }

    fn next(&self) -> Option<Body> {
        self.missed().values().next().cloned()
    }

    fn missed(&self) -> MutexGuard<'_, HashMap<BodyKey, Body>> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body {
    fn of(shell: &CompiledFlag) -> Self {
        let FlagHead { id, key: name, snapshot_id, .. } = shell.head();
        let flag = FlagName { id: *id, key: name.clone() };
        Self { key: key(shell), flag, snapshot_id: snapshot_id.0 }
    }
}

fn key(flag: &CompiledFlag) -> BodyKey {
    BodyKey { flag: flag.head().id, fingerprint: flag.fingerprint() }
}
