//! What asking Flagr for an evaluation takes, and what comes of it.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::{Instrument, Span};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Clock, Observer, RemoteCall, RemoteError, RemoteErrorKind,
    RemoteEvaluator, RemoteOutcome,
};

use crate::span::{failed, span};

/// A remote evaluator whose calls are measured, each in a span of its own, and itself one.
#[derive(Debug)]
pub(crate) struct Observed {
    inner: Arc<dyn RemoteEvaluator>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
}

impl Observed {
    pub(crate) fn new(
        inner: Arc<dyn RemoteEvaluator>,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { inner, observer, clock }
    }

    async fn call<T>(
        &self,
        span: Span,
        work: impl Future<Output = Result<T, RemoteError>> + Send,
    ) -> Result<T, RemoteError> {
        let started = self.clock.instant();
        let outcome = work.instrument(span.clone()).await;
        let took = self.clock.instant().saturating_duration_since(started);
        let what = match &outcome {
            Ok(_) => RemoteOutcome::Answered,
            Err(error) if error.kind() == RemoteErrorKind::Suspended => RemoteOutcome::Refused,
            Err(_) => RemoteOutcome::Failed,
        };
        self.observer.remote_evaluated(what, took);
        // What Flagr says may repeat whom it was asked about: the kind has to do.
        if let Err(error) = &outcome {
            failed(&span, &format_args!("{:?}", error.kind()));
        }
        outcome
    }
}

#[async_trait]
impl RemoteEvaluator for Observed {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        let span = span!("remote_evaluation", otel.kind = "client", flag.id = call.id.0);
        self.call(span, self.inner.evaluate(call)).await
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        let entities = batch.entities.len();
        let span = span!("remote_evaluation", otel.kind = "client", batch.entities = entities);
        self.call(span, self.inner.evaluate_batch(batch)).await
    }

    fn most(&self) -> usize {
        self.inner.most()
    }
}
