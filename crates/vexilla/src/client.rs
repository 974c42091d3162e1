//! The evaluate path: one load of the rules, look-up, route, walk or a call to Flagr, count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use vexilla_domain::{
    Context, Debug, Evaluation, EvaluationRef, Explanation, Flag, FlagFilter, FlagRef, Needs,
    Problem, Readiness, Reason, SourceErrorKind, Stats,
};
use vexilla_storage::SnapshotCell;

use crate::builder::ClientBuilder;
use crate::changes::{Changes, Feed};
use crate::config::{Config, Consistency, Fallback, Records};
use crate::counts::Counts;
use crate::decide::Begun;
use crate::error::{RefreshError, StartError, Undecided};
use crate::expiry::Expiry;
use crate::handle::FlagHandle;
use crate::local::Local;
use crate::misses::Misses;
use crate::notes::Notes;
use crate::parts::Parts;
use crate::published::Published;
use crate::refresh::{Refreshed, Refresher};
use crate::requests::{Request, Wish};
#[cfg(feature = "server")]
use crate::servers::Servers;
use crate::shared::Shared;
use crate::span::{span, within};
use crate::start::{first_load, start_couriers, supervise};
use crate::watch::Watch;

/// Flags, kept fresh and decided here, or by Flagr where that is its to do. Clones are the same client; the refresh ends
/// with the last one, or with [`stop`](Self::stop).
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    worker: Arc<Worker>,
    /// Ends the worker with the last client. What the worker itself holds is lent a client without.
    _owner: Option<Arc<DropGuard>>,
    consistency: Consistency,
}

/// The refresh task and how to reach it.
#[derive(Debug)]
struct Worker {
    parts: Parts,
    config: Config,
    requests: mpsc::Sender<Request>,
    stop: CancellationToken,
    tasks: TaskTracker,
    #[cfg(feature = "server")]
    servers: Servers,
}

impl Client {
    /// A client in the making: `Client::builder().flagr("http://localhost:18000").start().await`.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Starts a client of these parts: loads the flags, then keeps them fresh in a task of its own.
    ///
    /// Flags that an archive holds are served at once, and the source is asked in the background.
    ///
    /// # Errors
    ///
    /// If a setting cannot work, or the flags cannot be loaded within [`Config::initial_timeout`] and
    /// [`Config::start`] requires them.
    pub async fn new(parts: Parts, config: Config) -> Result<Self, StartError> {
        config.check()?;
        parts.check_budget()?;
        let needs_flagr =
            if parts.remote.is_some() { config.needs_flagr() } else { Needs::NOTHING };
        let replayed = match config.records {
            Records::Replay if parts.recorder.is_some() => Needs::RECORD,
            _ => Needs::NOTHING,
        };
        // What is not in memory goes the way of what is not decided here.
        let body = if parts.is_paged() { Needs::BODY } else { Needs::NOTHING };
        let needs_flagr = needs_flagr.and(body);
        let shared = Arc::new(Shared {
            cell: SnapshotCell::new(Arc::new(Published::default())),
            counts: Counts::default(),
            needs_flagr,
            replayed,
            exposures: OnceLock::new(),
            replays: OnceLock::new(),
            expiry: Expiry::new(),
            misses: Misses::new(config.miss_interval),
            notes: Notes::default(),
            feed: Feed::new(),
            filter: RwLock::new(config.filter.clone()),
            watch: Watch::of(&parts, &config),
            ending: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        });
        let mut refresher = Refresher::new(parts.clone(), config.clone(), Arc::clone(&shared));
        within(span!("start"), first_load(&mut refresher)).await?;

        let stop = CancellationToken::new();
        let (requests, asked) = mpsc::channel(64);
        let tasks = TaskTracker::new();
        start_couriers(&shared, &parts, &config, &stop, &tasks).await?;
        tasks.spawn(supervise(
            refresher.run(asked, stop.clone()),
            Arc::clone(&shared),
            parts.clone(),
        ));
        if parts.is_paged() {
            tasks.spawn(parts.clone().load_missed(Arc::clone(&shared), stop.clone()));
        }
        tasks.close();
        let owner = Arc::new(stop.clone().drop_guard());
        let worker = Arc::new(Worker {
            parts,
            config,
            requests,
            #[cfg(feature = "server")]
            servers: Servers::new(stop.child_token()),
            stop,
            tasks,
        });
        let client =
            Self { shared, worker, _owner: Some(owner), consistency: Consistency::Eventual };
        if let Some(telemetry) = client.telemetry() {
            telemetry.show(&client);
        }
        Ok(client)
    }

    /// The same client with another consistency for the calls that are awaited.
    #[must_use]
    pub fn with_consistency(&self, consistency: Consistency) -> Self {
        Self { consistency, ..self.clone() }
    }

    /// Evaluates a flag.
    pub async fn evaluate(&self, key: &str, ctx: &Context) -> Evaluation {
        self.evaluate_with(key, ctx, |it| it.to_owned()).await
    }

    /// Evaluates a flag and lends the result. Allocates nothing where the flag is decided here.
    pub async fn evaluate_with<R>(
        &self,
        key: &str,
        ctx: &Context,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        if self.consistency == Consistency::Strict {
            self.look_before_deciding().await;
        }
        let mut begun = self.begin(key, ctx, f);
        if let Begun::Absent(f) = begun {
            begun = if self.look_for_unknown().await {
                self.begin(key, ctx, f)
            } else {
                Begun::Absent(f)
            };
        }
        match begun {
            Begun::Done(result) => result,
            Begun::Absent(f) => self.decide(key, ctx, Reason::Fallback, f),
            // Behind a pointer, since it is rare and its state is large.
            Begun::Paged(f) => Box::pin(self.evaluate_paged(key, ctx, f)).await,
            Begun::Flagrs(held, f) => {
                let flag = FlagRef { id: 0, key };
                match self.ask(flag, held, ctx, Debug::Off).await {
                    Ok(answer) => f(answer.evaluation.as_ref()),
                    Err(_) => self.decide(key, ctx, Reason::Fallback, f),
                }
            }
        }
    }

    /// Evaluates several flags for the same context, all by the same rules. Those that are Flagr's to decide are asked for
    /// in one request.
    pub async fn evaluate_many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        if self.consistency == Consistency::Strict {
            self.look_before_deciding().await;
        }
        self.many(keys, ctx).await
    }

    /// Evaluates a flag, or says that nothing could decide it where [`Config::fallback`] wants that to be an error.
    ///
    /// # Errors
    ///
    /// With [`Fallback::Error`]: the flag is unknown or filtered out, in error from the start, nothing is loaded yet, the
    /// rules are too old, or only Flagr could decide and did not answer.
    pub async fn try_evaluate(&self, key: &str, ctx: &Context) -> Result<Evaluation, Undecided> {
        let evaluation = self.evaluate(key, ctx).await;
        match (self.worker.config.fallback, evaluation.reason.is_answer()) {
            (Fallback::Error, false) => Err(Undecided::new(key, evaluation.reason)),
            _ => Ok(evaluation),
        }
    }

    /// Whether the flag is on. Where nothing can decide, [`Config::fallback`] says so. A blank that is an answer (nobody
    /// matched, held out, disabled) is off, and so is a value that is no boolean. Allocates nothing where the flag is
    /// decided here.
    ///
    /// # Errors
    ///
    /// As for [`try_evaluate`](Self::try_evaluate).
    pub async fn is_enabled(&self, key: &str, ctx: &Context) -> Result<bool, Undecided> {
        let (value, reason) = self.evaluate_with(key, ctx, |it| (it.bool(), it.reason)).await;
        self.enabled_or_fallback(key, value, reason)
    }

    /// The same calls without `await`; they never do any I/O.
    pub fn local(&self) -> Local<'_> {
        Local { client: self }
    }

    /// A handle for hot loops: the key is looked up once for each publication of the rules.
    pub fn flag(&self, key: &str) -> FlagHandle {
        FlagHandle::new(self.clone(), key)
    }

    /// Why a flag comes out as it does by the rules held here; [`Explanation::needs`] says why Flagr would be asked, if it
    /// would. `None` when there is no such flag.
    pub fn explain(&self, key: &str, ctx: &Context) -> Option<Explanation> {
        let published = self.shared.cell.load();
        let flag = published.ruleset.find(key)?;
        let body = if flag.is_paged() { self.held_body(flag) } else { None };
        Some(self.explain_flag(body.as_deref().unwrap_or(flag), &published, ctx))
    }

    /// Refreshes now. Calls that come together share one refresh.
    ///
    /// It waits until a change that Flagr has announced is here, which may be a few seconds after Flagr knows of it.
    ///
    /// # Errors
    ///
    /// If the source fails, or the client was stopped. The flags that were there before are served on.
    pub async fn refresh(&self) -> Result<Refreshed, RefreshError> {
        self.wish(Wish::Look).await
    }

    /// Keeps the flags of this filter from now on, instead of those of [`Config::filter`]. All flags are read anew for it;
    /// where that fails, the former ones are served until the next refresh. What the source was asked to filter by stays.
    ///
    /// # Errors
    ///
    /// If the source cannot be asked.
    pub async fn set_filter(&self, filter: FlagFilter) -> Result<Refreshed, RefreshError> {
        self.shared.filter.write().unwrap_or_else(PoisonError::into_inner).clone_from(&filter);
        self.wish(Wish::Filter(Box::new(filter))).await
    }

    /// Says in [`readiness`](Self::readiness) from now on that the client is about to be stopped, so that whoever looks at
    /// that sends nothing new. It goes on as before otherwise.
    pub fn announce_stop(&self) {
        self.shared.ending.store(true, Ordering::Relaxed);
    }

    /// Stops the servers of the builder's `admin` and `webhook`, whose running requests have 10 seconds to finish, and
    /// then the refreshing; sends the exposures that wait, for [`ExposureConfig::flush_limit`](crate::ExposureConfig) at
    /// most; waits until all tasks have ended. Evaluations go on with the flags that are there.
    pub async fn stop(&self) {
        self.announce_stop();
        #[cfg(feature = "server")]
        self.worker.servers.stop().await;
        self.worker.stop.cancel();
        self.worker.tasks.wait().await;
        self.worker.parts.stop_asking_ahead().await;
        #[cfg(feature = "otel")]
        if let Some(telemetry) = self.telemetry() {
            telemetry.end_with_client().await;
        }
    }

    /// What each publication changes, from now on.
    pub fn subscribe(&self) -> Changes {
        self.shared.feed.subscribe()
    }

    /// The flags as Flagr's export, if [`Config::export`] keeps it and flags were loaded.
    pub fn export(&self) -> Option<Arc<[u8]>> {
        self.shared.cell.load().export.clone()
    }

    /// What is wrong with flags, as the last load found it.
    pub fn problems(&self) -> Vec<Problem> {
        self.shared.cell.load().problems.clone()
    }

    /// Whether the filter keeps a flag, now.
    pub fn should_cache(&self, flag: &Flag) -> bool {
        let filter = self.shared.filter.read().unwrap_or_else(PoisonError::into_inner);
        filter.should_cache_at(flag, self.worker.parts.clock.now())
    }

    /// Counts, and the state of the rules.
    pub fn stats(&self) -> Stats {
        crate::stats::of(&self.shared, &self.worker.parts)
    }

    /// Whether the client can decide, and if not, why.
    pub fn readiness(&self) -> Readiness {
        let published = self.shared.cell.load();
        let mut reasons: Vec<Box<str>> = Vec::new();
        if published.is_empty() {
            reasons.push("no flags are loaded yet".into());
        }
        if published.is_expired() {
            reasons.push("the source has not confirmed the flags for too long".into());
        }
        if self.shared.has_failed.load(Ordering::Relaxed) {
            reasons.push("the refreshing ended by a defect: the flags stay as they are".into());
        }
        if self.worker.stop.is_cancelled() {
            reasons.push("the client was stopped".into());
        } else if self.shared.ending.load(Ordering::Relaxed) {
            reasons.push("the client is about to be stopped".into());
        }
        Readiness { reasons }
    }

    /// Asks whether the source of the flags is there: a Flagr's health.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub async fn health(&self) -> Result<(), RefreshError> {
        self.worker.parts.source.health().await.map_err(RefreshError::from)
    }

    /// How long ago the source last confirmed the flags. `None` before the first load.
    pub fn age(&self) -> Option<Duration> {
        self.stats().age
    }

    /// Reads the statistics for as long as the client is there, and does not keep it.
    pub(crate) fn stats_reader(&self) -> impl Fn() -> Stats + Send + Sync + 'static {
        let (shared, worker) = (Arc::downgrade(&self.shared), Arc::downgrade(&self.worker));
        move || match (Weak::upgrade(&shared), Weak::upgrade(&worker)) {
            (Some(shared), Some(worker)) => crate::stats::of(&shared, &worker.parts),
            _ => Stats::default(),
        }
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.worker.parts
    }

    pub(crate) fn config(&self) -> &Config {
        &self.worker.config
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The same client for a task of its own, which must not keep it going.
    #[cfg(feature = "server")]
    pub(crate) fn lent(&self) -> Self {
        Self { _owner: None, ..self.clone() }
    }

    #[cfg(feature = "server")]
    pub(crate) fn servers(&self) -> &Servers {
        &self.worker.servers
    }

    /// Has something done by the refresher, and waits for it.
    pub(crate) async fn wish(&self, wish: Wish) -> Result<Refreshed, RefreshError> {
        let stopped = || RefreshError::new(SourceErrorKind::Unavailable, "the client was stopped");
        let (waiter, outcome) = oneshot::channel();
        let request = Request { wish, waiter };
        self.worker.requests.send(request).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }
}
