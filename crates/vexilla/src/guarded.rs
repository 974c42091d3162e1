//! A breaker in front of everything that asks Flagr.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use vexilla_breaker::{Breaker, Permit};
use vexilla_domain::json::Rows;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Clock, DeliveryError, DeliveryErrorKind, Depth, Exposure,
    ExposureSink, Fetch, FlagRef, FlagSource, FlagState, Marker, PortError, RemoteCall,
    RemoteError, RemoteErrorKind, RemoteEvaluator, RowError, SourceError, SourceErrorKind,
    Strictness,
};

/// A flag source, a remote evaluator, or a sink of exposures, behind a breaker, and itself one. Those that share a breaker share its state.
///
/// A failure is no answer. A refusal is an answer, and so is a page of something else: both come at once, and nobody has
/// to be kept from waiting for them.
pub struct Guarded<S: ?Sized> {
    inner: Arc<S>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
}

impl<S: ?Sized> Guarded<S> {
    /// Puts the breaker in front.
    pub fn new(inner: Arc<S>, breaker: Breaker, clock: Arc<dyn Clock>) -> Self {
        Self { inner, breaker, clock }
    }

    /// Makes a call, if the breaker lets it, and tells the breaker what came of it. Dropped on the way, the permit says
    /// nothing, unless it was the probe's.
    async fn call<T, K: Copy>(
        &self,
        suspended: K,
        call: impl Future<Output = Result<T, PortError<K>>> + Send,
        is_failure: fn(K) -> bool,
    ) -> Result<T, PortError<K>> {
        let permit = self.breaker.admit(self.clock.instant()).map_err(|_| {
            PortError::new(suspended, "Flagr did not answer before, so it is not asked for a while")
        })?;
        let outcome = call.await;
        self.tell(permit, outcome.as_ref().is_err_and(|error| is_failure(error.kind())));
        outcome
    }

    fn tell(&self, permit: Permit, failed: bool) {
        let now = self.clock.instant();
        if failed { permit.failed(now) } else { permit.succeeded(now) }
    }
}

fn source_failed(kind: SourceErrorKind) -> bool {
    kind == SourceErrorKind::Unavailable
}

fn evaluation_failed(kind: RemoteErrorKind) -> bool {
    kind == RemoteErrorKind::Unavailable
}

#[async_trait]
impl FlagSource for Guarded<dyn FlagSource> {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        let call = self.inner.fetch(seen, depth);
        self.call(SourceErrorKind::Suspended, call, source_failed).await
    }

    async fn fetch_rows(
        &self,
        seen: Option<&Marker>,
        depth: Depth,
    ) -> Result<Fetch<Rows>, SourceError> {
        let call = self.inner.fetch_rows(seen, depth);
        self.call(SourceErrorKind::Suspended, call, source_failed).await
    }

    async fn fetch_flag(&self, flag: FlagRef<'_>) -> Result<FlagState, SourceError> {
        self.call(SourceErrorKind::Suspended, self.inner.fetch_flag(flag), source_failed).await
    }

    /// Asked whatever the breaker says: whoever wants to know is not helped by what was known before.
    async fn health(&self) -> Result<(), SourceError> {
        self.inner.health().await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn strictness(&self) -> Strictness {
        self.inner.strictness()
    }
}

#[async_trait]
impl RemoteEvaluator for Guarded<dyn RemoteEvaluator> {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        let call = self.inner.evaluate(call);
        self.call(RemoteErrorKind::Suspended, call, evaluation_failed).await
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        let call = self.inner.evaluate_batch(batch);
        self.call(RemoteErrorKind::Suspended, call, evaluation_failed).await
    }

    fn most(&self) -> usize {
        self.inner.most()
    }
}

#[async_trait]
impl ExposureSink for Guarded<dyn ExposureSink> {
    async fn send(&self, exposures: &[Exposure]) -> Result<Vec<RowError>, DeliveryError> {
        let failed = |kind| kind == DeliveryErrorKind::Unavailable;
        self.call(DeliveryErrorKind::Suspended, self.inner.send(exposures), failed).await
    }

    fn most(&self) -> usize {
        self.inner.most()
    }
}

impl<S: fmt::Debug + ?Sized> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("inner", &self.inner).finish_non_exhaustive()
    }
}
