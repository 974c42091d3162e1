//! The evaluate path: one load of the rules, look-up, walk, count.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vexilla_domain::{Context, Detail, Evaluation, EvaluationRef, Problem, SourceErrorKind, Value};
use vexilla_eval::{CompiledFlag, Explanation, Ruleset};
use vexilla_storage::SnapshotCell;

use crate::builder::ClientBuilder;
use crate::config::{Config, StartPolicy};
use crate::error::{RefreshError, StartError};
use crate::handle::FlagHandle;
use crate::local::Local;
use crate::parts::Parts;
use crate::published::Published;
use crate::refresh::{Refreshed, Refresher, Waiter};
use crate::shared::{Counts, Shared};
use crate::stats::Stats;

/// Flags, kept fresh and decided here. Clones are the same client; the refresh ends with the last one, or with
/// [`stop`](Self::stop).
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    worker: Arc<Worker>,
}

/// The refresh task and how to reach it.
#[derive(Debug)]
struct Worker {
    parts: Parts,
    waiters: mpsc::Sender<Waiter>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Client {
    /// A client in the making: `Client::builder().flagr("http://localhost:18000").start().await`.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Starts a client of these parts: loads the flags, then keeps them fresh in a task of its own.
    ///
    /// # Errors
    ///
    /// If a setting cannot work, or the flags cannot be loaded within [`Config::initial_timeout`] and
    /// [`Config::start`] requires them.
    pub async fn new(parts: Parts, config: Config) -> Result<Self, StartError> {
        config.check()?;
        let cell = SnapshotCell::new(Arc::new(Published::default()));
        let shared = Arc::new(Shared { cell, counts: Counts::default() });
        let mut refresher =
            Refresher { parts: parts.clone(), config, shared: Arc::clone(&shared), marker: None };

        let limit = refresher.config.initial_timeout;
        let first = match tokio::time::timeout(limit, refresher.refresh()).await {
            Ok(loaded) => loaded.map(drop).map_err(StartError::Load),
            Err(_) => Err(StartError::Timeout(limit)),
        };
        match (first, refresher.config.start) {
            (Ok(()), _) => {}
            (Err(error), StartPolicy::RequireFlags) => return Err(error),
            (Err(error), StartPolicy::ComeUpEmpty) => {
                tracing::warn!(%error, "started without flags");
            }
        }

        let stop = CancellationToken::new();
        let (waiters, waiting) = mpsc::channel(64);
        let tasks = TaskTracker::new();
        tasks.spawn(refresher.run(waiting, stop.clone()));
        tasks.close();
        Ok(Self { shared, worker: Arc::new(Worker { parts, waiters, stop, tasks }) })
    }

    /// Evaluates a flag.
    #[expect(clippy::unused_async, reason = "a flag that Flagr must decide will be asked for here")]
    pub async fn evaluate(&self, key: &str, ctx: &Context) -> Evaluation {
        self.decide(key, ctx, |it| it.to_owned())
    }

    /// Evaluates a flag and lends the result. Allocates nothing.
    #[expect(clippy::unused_async, reason = "as for `evaluate`")]
    pub async fn evaluate_with<R>(
        &self,
        key: &str,
        ctx: &Context,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        self.decide(key, ctx, f)
    }

    /// Evaluates several flags for the same context, all by the same rules.
    #[expect(clippy::unused_async, reason = "as for `evaluate`")]
    pub async fn evaluate_many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        self.decide_many(keys, ctx)
    }

    /// The flag as a boolean, or the default. The attachment's `value`, else its boolean `enabled`, else the variant's
    /// key; `on`, `true`, `enabled`, `yes`, `1` and their opposites count as booleans. Allocates nothing.
    pub async fn bool(&self, key: &str, ctx: &Context, default: bool) -> bool {
        self.evaluate_with(key, ctx, |it| it.bool()).await.unwrap_or(default)
    }

    /// The flag as an integer, or the default. The attachment's `value`, else the variant's key. Allocates nothing.
    pub async fn int(&self, key: &str, ctx: &Context, default: i64) -> i64 {
        self.evaluate_with(key, ctx, |it| it.int()).await.unwrap_or(default)
    }

    /// The flag as a float, or the default. The attachment's `value`, else the variant's key. Allocates nothing.
    pub async fn float(&self, key: &str, ctx: &Context, default: f64) -> f64 {
        self.evaluate_with(key, ctx, |it| it.float()).await.unwrap_or(default)
    }

    /// The flag as a text, or the default. The attachment's `value`, else the variant's key.
    pub async fn string(&self, key: &str, ctx: &Context, default: &str) -> String {
        self.evaluate_with(key, ctx, |it| it.string()).await.unwrap_or_else(|| default.to_owned())
    }

    /// The flag as JSON, or the default. The attachment's `value`, else the variant's key as a text.
    pub async fn json(&self, key: &str, ctx: &Context, default: Value) -> Value {
        self.evaluate_with(key, ctx, |it| it.json()).await.unwrap_or(default)
    }

    /// [`bool`](Self::bool) with how it came about.
    pub async fn bool_detail(&self, key: &str, ctx: &Context, default: bool) -> Detail<bool> {
        self.evaluate_with(key, ctx, |it| it.detail(it.bool(), default)).await
    }

    /// [`int`](Self::int) with how it came about.
    pub async fn int_detail(&self, key: &str, ctx: &Context, default: i64) -> Detail<i64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.int(), default)).await
    }

    /// [`float`](Self::float) with how it came about.
    pub async fn float_detail(&self, key: &str, ctx: &Context, default: f64) -> Detail<f64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.float(), default)).await
    }

    /// [`string`](Self::string) with how it came about.
    pub async fn string_detail(&self, key: &str, ctx: &Context, default: &str) -> Detail<String> {
        self.evaluate_with(key, ctx, |it| it.detail(it.string(), default.to_owned())).await
    }

    /// [`json`](Self::json) with how it came about.
    pub async fn json_detail(&self, key: &str, ctx: &Context, default: Value) -> Detail<Value> {
        self.evaluate_with(key, ctx, |it| it.detail(it.json(), default)).await
    }

    /// The same calls without `await`; they never do any I/O.
    pub fn local(&self) -> Local<'_> {
        Local { client: self }
    }

    /// A handle for hot loops: the key is looked up once for each publication of the rules.
    pub fn flag(&self, key: &str) -> FlagHandle {
        FlagHandle::new(self.clone(), key)
    }

    /// Why a flag comes out as it does. `None` when there is no such flag.
    pub fn explain(&self, key: &str, ctx: &Context) -> Option<Explanation> {
        let published = self.shared.cell.load();
        let mut explanation = published.ruleset.explain(key, ctx)?;
        explanation.evaluation.freshness = published.freshness();
        Some(explanation)
    }

    /// Refreshes now. Calls that come together share one refresh.
    ///
    /// # Errors
    ///
    /// If the source fails, or the client was stopped. The flags that were there before are served on.
    pub async fn refresh(&self) -> Result<Refreshed, RefreshError> {
        let stopped = || RefreshError::new(SourceErrorKind::Unavailable, "the client was stopped");
        let (waiter, outcome) = oneshot::channel();
        self.worker.waiters.send(waiter).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// Stops refreshing and waits until the task has ended. Evaluations go on with the flags that are there.
    pub async fn stop(&self) {
        self.worker.stop.cancel();
        self.worker.tasks.wait().await;
    }

    /// The flags as Flagr's export, if [`Config::export`] keeps it and flags were loaded.
    pub fn export(&self) -> Option<Arc<[u8]>> {
        self.shared.cell.load().export.clone()
    }

    /// What is wrong with flags, as the last load found it.
    pub fn problems(&self) -> Vec<Problem> {
        self.shared.cell.load().problems.clone()
    }

    /// Counts, and the state of the rules.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared, self.worker.parts.source.describe())
    }

    /// How long ago the source last confirmed the flags. `None` before the first load.
    pub fn age(&self) -> Option<Duration> {
        let refreshed_at = self.stats().refreshed_at?;
        Some(self.worker.parts.clock.now().duration_since(refreshed_at).unwrap_or(Duration::ZERO))
    }

    #[cfg(feature = "server")]
    pub(crate) fn clock(&self) -> Arc<dyn vexilla_domain::Clock> {
        Arc::clone(&self.worker.parts.clock)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// One evaluation, here.
    #[inline]
    pub(crate) fn decide<R>(
        &self,
        key: &str,
        ctx: &Context,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        let published = self.shared.cell.load();
        f(self.decide_by(&published, published.ruleset.find(key), ctx))
    }

    /// Several evaluations by the same rules.
    pub(crate) fn decide_many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        let published = self.shared.cell.load();
        let flags = keys.iter().map(|key| published.ruleset.find(key.as_ref()));
        flags.map(|flag| self.decide_by(&published, flag, ctx).to_owned()).collect()
    }

    /// Evaluates a flag of these rules, if there is one.
    #[expect(
        clippy::inline_always,
        reason = "measured: a call would copy the evaluation once more"
    )]
    #[inline(always)]
    pub(crate) fn decide_by<'p>(
        &self,
        published: &'p Published,
        flag: Option<&'p CompiledFlag>,
        ctx: &Context,
    ) -> EvaluationRef<'p> {
        let mut evaluation = match flag {
            Some(flag) => Ruleset::evaluate_flag(flag, ctx),
            None => EvaluationRef::blank(None, published.absent()),
        };
        self.finish(&mut evaluation, published);
        evaluation
    }

    /// Says how fresh the rules were, and counts.
    #[inline]
    pub(crate) fn finish(&self, evaluation: &mut EvaluationRef<'_>, published: &Published) {
        evaluation.freshness = published.freshness();
        self.shared.counts.evaluated(evaluation.reason);
    }
}
