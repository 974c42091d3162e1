//! Flagr's answers, kept for a while.

mod answers;
mod call;
mod config;
mod failure;
mod forgotten;
mod held;
mod weigh;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, CacheCounts, CacheRead, Clock, Debug, FlagName, Observer,
    RemoteCall, RemoteError, RemoteErrorKind, RemoteEvaluator,
};

use self::answers::Answers;
use self::call::{Asked, Kept};
pub use self::config::CachedRemoteConfig;
use self::forgotten::Forgotten;
use self::held::{Held, Stale};
use crate::CacheConfigError;
use crate::cache_counts::Event;
use crate::flights::Flights;

/// A [`RemoteEvaluator`] that asks another one, and what it was answered it does not ask again for a while.
///
/// An answer is given again for the same question only: the same flag as named, the same snapshot of it, the same entity,
/// attributes and headers. So a flag that changes is asked for anew. Headers that differ from request to request, as a
/// request's id does, make every question another one: hand on only those that flags read.
///
/// * A question that several ask at once is asked once.
/// * An answer that is in use when its time runs out is asked for again in the background before it does.
/// * While Flagr is [`Unavailable`](RemoteErrorKind::Unavailable), or not asked because it was, an answer is given beyond
///   its time, and says that it is stale.
///
/// An answer from here has the source [`RemoteCached`](vexilla_domain::Source::RemoteCached), and its freshness says when
/// Flagr gave it.
///
/// Never kept are errors; answers by an older snapshot than the caller knows of, as Flagr gives them for a moment after a
/// change; answers for anonymous entities, for whom Flagr draws a bucket each time; answers with a log; and
/// answers for flags that record data, unless [configured](CachedRemoteConfig::cache_data_records). Batches are handed on
/// as they are: a batch does not say which of its flags record data, nor their snapshots.
///
/// It needs a Tokio runtime for asking ahead only, from the first answer on that is due. Dropping it ends what is under
/// way there; [`stop`](Self::stop) also waits for that.
pub struct CachedRemote {
    shared: Arc<Shared>,
    refreshes: TaskTracker,
    /// How many answers may be asked for ahead at one time. Those beyond are asked for when somebody wants them.
    places: Arc<Semaphore>,
    end: CancellationToken,
}

struct Shared {
    inner: Arc<dyn RemoteEvaluator>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    config: CachedRemoteConfig,
    answers: Answers,
    flights: Flights<Arc<Kept>, Outcome>,
    forgotten: Forgotten,
}

/// What came of asking, for all who wait for it.
#[derive(Clone)]
enum Outcome {
    /// Flagr answered.
    Asked(Arc<Held>),
    /// Flagr answered, and recorded it for the one who asked: the others have to ask themselves.
    AskedForOne(Arc<Held>),
    /// It was not asked: somebody else just had the answer.
    Found(Arc<Held>),
    Failed(Arc<RemoteError>),
}

impl CachedRemote {
    const MOST_REFRESHES: usize = 64;

    /// Keeps the answers of an evaluator.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn new(
        inner: Arc<dyn RemoteEvaluator>,
        clock: Arc<dyn Clock>,
        config: CachedRemoteConfig,
    ) -> Result<Self, CacheConfigError> {
        Self::observed(inner, clock, config, Arc::new(()))
    }

    /// The same, and tells an observer of each look among the answers.
    ///
    /// # Errors
    ///
    /// If a limit is out of bounds.
    pub fn observed(
        inner: Arc<dyn RemoteEvaluator>,
        clock: Arc<dyn Clock>,
        config: CachedRemoteConfig,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, CacheConfigError> {
        config.check()?;
        let answers = Answers::new(config.cache.clone().with_default_ttl(None))?;
        let shared = Shared {
            inner,
            clock,
            observer,
            config,
            answers,
            flights: Flights::default(),
            forgotten: Forgotten::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            refreshes: TaskTracker::new(),
            places: Arc::new(Semaphore::new(Self::MOST_REFRESHES)),
            end: CancellationToken::new(),
        })
    }

    /// Asks anew from now on for a flag that is said to have changed, by its id, its key or both. Answers that are on
    /// their way are not kept. A flag that callers name in one way only is forgotten if that way is told, or if they know
    /// its id otherwise ([`RemoteCall::id`]).
    pub fn forget(&self, flag: &FlagName) {
        self.shared.forgotten.flag(flag);
    }

    /// Asks anew from now on for all flags.
    pub fn forget_all(&self) {
        self.shared.forgotten.all();
    }

    /// Ends what is asked ahead, and waits until it has ended. Nothing is asked ahead from now on; all else goes on.
    pub async fn stop(&self) {
        self.end.cancel();
        self.refreshes.close();
        self.refreshes.wait().await;
    }

    /// The counts. What may not be kept counts for nothing; who waits for another one's question has a miss too.
    pub fn counts(&self) -> CacheCounts {
        self.shared.answers.counts()
    }

    /// Asks for an answer again, once for each answer, if the time has come.
    fn refresh_if_due(&self, held: &Arc<Held>, left: Duration) {
        if self.shared.config.refresh_ahead < left || held.is_being_refreshed() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        if self.end.is_cancelled() || !held.begin_refresh() {
            return;
        }
        let (shared, held, end) = (Arc::clone(&self.shared), Arc::clone(held), self.end.clone());
        let refresh = async move {
            let _place = place;
            let work = shared.ask(held.kept(), Some(&held));
            let asking = shared.flights.join(Arc::clone(held.kept()), work);
            end.run_until_cancelled(asking).await;
        };
        self.refreshes.spawn_on(refresh, &runtime);
    }
}

impl Shared {
    fn count(&self, event: Event, read: CacheRead) {
        self.answers.count(event);
        self.observer.cache_read(read);
    }

    fn may_keep(&self, call: &RemoteCall<'_>) -> bool {
        call.debug == Debug::Off
            && !call.context.entity_id().is_empty()
            && (self.config.cache_data_records || !call.data_records_enabled)
    }

    /// Flagr knows best whether it records: a flag that is not held here may.
    fn records(answer: &Answer) -> bool {
        answer.evaluation.flag.as_ref().is_some_and(|it| it.data_records_enabled)
    }

    /// The answer to what has none here, or none that is fresh.
    async fn answer(
        &self,
        asked: Asked<'_>,
        found: Option<Arc<Held>>,
    ) -> Result<Answer, RemoteError> {
        let kept = asked.keep();
        let work = self.ask(&kept, found.as_ref());
        let outcome = self.flights.join(Arc::clone(&kept), work).await;
        if let Outcome::Failed(error) = &outcome
            && let Some(answer) = self.stale(&asked, found.as_deref(), error)
        {
            self.count(Event::StaleHit, CacheRead::Stale);
            return Ok(answer);
        }
        self.count(Event::Miss, CacheRead::Miss);
        match outcome {
            Outcome::Asked(held) => Ok(held.as_answered()),
            Outcome::AskedForOne(held) if Arc::ptr_eq(held.kept(), &kept) => Ok(held.as_answered()),
            Outcome::AskedForOne(_) => self.inner.evaluate(asked.call).await,
            Outcome::Found(held) => Ok(held.cached(Stale::No)),
            Outcome::Failed(error) => Err(failure::again(&error)),
        }
    }

    /// Asks Flagr, unless there is another answer than the one that was seen.
    async fn ask(&self, kept: &Arc<Kept>, seen: Option<&Arc<Held>>) -> Outcome {
        if let Some(found) = self.answers.find(&kept.asked()) {
            let is_new = seen.is_none_or(|seen| !Arc::ptr_eq(seen, &found));
            if is_new && found.age(self.clock.instant()) < self.config.ttl {
                return Outcome::Found(found);
            }
        }
        match self.inner.evaluate(kept.asked().call).await {
            Ok(answer) => {
                let is_for_one = !self.config.cache_data_records && Self::records(&answer);
                let is_behind = kept.is_ahead_of(&answer);
                let held = Arc::new(Held::new(Arc::clone(kept), answer, &*self.clock));
                if is_for_one {
                    return Outcome::AskedForOne(held);
                }
                if is_behind {
                    return Outcome::Asked(held);
                }
                // Stretto goes by the calendar, so this only clears away what nobody will want: `age` decides.
                let ttl = self.config.ttl.saturating_add(self.config.keep_stale);
                self.answers.keep(kept, &held, ttl);
                Outcome::Asked(held)
            }
            Err(error) => Outcome::Failed(Arc::new(error)),
        }
    }

    /// The answer beyond its time, if Flagr is away and the flag is not known to have changed.
    fn stale(
        &self,
        asked: &Asked<'_>,
        found: Option<&Held>,
        error: &RemoteError,
    ) -> Option<Answer> {
        let is_away =
            matches!(error.kind(), RemoteErrorKind::Unavailable | RemoteErrorKind::Suspended);
        let found = found.filter(|_| is_away)?;
        let longest = self.config.ttl.saturating_add(self.config.keep_stale);
        let is_good = found.age(self.clock.instant()) < longest
            && self.forgotten.number(&asked.call) == asked.forgotten;
        is_good.then(|| found.cached(Stale::Yes))
    }
}

#[async_trait]
impl RemoteEvaluator for CachedRemote {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        let shared = &*self.shared;
        if !shared.may_keep(&call) {
            return shared.inner.evaluate(call).await;
        }
        let asked = Asked { call, forgotten: shared.forgotten.number(&call) };
        let found = shared.answers.find(&asked);
        if let Some(held) = &found {
            let left = shared.config.ttl.saturating_sub(held.age(shared.clock.instant()));
            if !left.is_zero() {
                shared.count(Event::Hit, CacheRead::Hit);
                self.refresh_if_due(held, left);
                return Ok(held.cached(Stale::No));
            }
        }
        // Boxed, so that a hit does not carry all that a miss may need.
        Box::pin(shared.answer(asked, found)).await
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        self.shared.inner.evaluate_batch(batch).await
    }

    fn most(&self) -> usize {
        self.shared.inner.most()
    }
}

impl Drop for CachedRemote {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// Without what was asked: it is about people.
impl fmt::Debug for CachedRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedRemote")
            .field("inner", &self.shared.inner)
            .field("config", &self.shared.config)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
