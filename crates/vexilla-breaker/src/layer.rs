//! The breaker before a tower service.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::{Breaker, Permit, Rejected};

/// What the result of a call says about the service. There will be no other cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It works.
    Success,
    /// It does not.
    Failure,
    /// Nothing. Like a dropped permit: a probe must say something, so for a probe this is a failure.
    Neutral,
}

/// Why a call through a [`BreakerService`] gave no response. There will be no other cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The breaker refused it; the service was not asked.
    #[error(transparent)]
    Rejected(Rejected),
    /// The service failed.
    #[error(transparent)]
    Inner(E),
}

type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Puts one breaker before tower services.
///
/// ```
/// use std::time::Instant;
///
/// use tower::{Layer, Service, ServiceExt, service_fn};
/// use vexilla_breaker::{Breaker, BreakerLayer, Outcome};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // A status from 500 on says that the service is broken; one below says something about the request.
/// let classify = |result: &Result<u16, std::io::Error>| match result {
///     Ok(status) if *status < 500 => Outcome::Success,
///     _ => Outcome::Failure,
/// };
/// let layer = BreakerLayer::new(Breaker::default(), classify, Instant::now);
///
/// let mut service = layer.layer(service_fn(async |_path: &str| Ok(404)));
/// assert_eq!(service.ready().await?.call("/health").await?, 404);
/// # Ok(())
/// # }
/// ```
///
/// A timeout belongs inside the breaker: outside, it drops the call, and a dropped call counts only for the probe.
#[derive(Clone)]
pub struct BreakerLayer<K> {
    breaker: Breaker,
    classify: K,
    clock: Clock,
}

impl<K> BreakerLayer<K> {
    /// A layer around this breaker. `classify` is a `Fn(&Result<Response, Error>) -> Outcome`; `clock` is
    /// `Instant::now`, but for tests.
    pub fn new(
        breaker: Breaker,
        classify: K,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        Self { breaker, classify, clock: Arc::new(clock) }
    }
}

impl<S, K: Clone> Layer<S> for BreakerLayer<K> {
    type Service = BreakerService<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, guard: self.clone(), turned_away: None }
    }
}

/// A service behind a breaker.
///
/// - While the breaker refuses, it is ready without asking the service inside, which may well be the one that hangs;
///   the call then gets [`CallError::Rejected`] at once. A caller that already waits for the service inside goes on
///   waiting.
/// - It is the call that needs a permit, not the readiness: a caller that gets ready and goes away is no probe.
/// - An error of the service's `poll_ready` is no result of a call. It is passed on and not counted.
#[derive(Clone)]
pub struct BreakerService<S, K> {
    inner: S,
    guard: BreakerLayer<K>,
    /// Why the service inside was not made ready, so that it must not be called, whatever the breaker says by then.
    turned_away: Option<Rejected>,
}

impl<S, K, Request> Service<Request> for BreakerService<S, K>
where
    S: Service<Request>,
    K: Fn(&Result<S::Response, S::Error>) -> Outcome + Clone,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = BreakerFuture<S::Future, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.turned_away = self.guard.breaker.refusal((self.guard.clock)());
        match self.turned_away {
            Some(_) => Poll::Ready(Ok(())),
            None => self.inner.poll_ready(cx).map_err(CallError::Inner),
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let BreakerLayer { breaker, classify, clock } = &self.guard;
        if let Some(rejected) = self.turned_away.take() {
            breaker.count_rejected();
            return BreakerFuture { stage: Stage::Rejected { rejected } };
        }
        let stage = match breaker.admit(clock()) {
            Ok(permit) => Stage::Called {
                call: self.inner.call(request),
                permit: Some(permit),
                classify: classify.clone(),
                clock: Arc::clone(clock),
            },
            Err(rejected) => Stage::Rejected { rejected },
        };
        BreakerFuture { stage }
    }
}

pin_project! {
    /// A call through a [`BreakerService`]. Dropping it drops the call and its permit.
    pub struct BreakerFuture<F, K> {
        #[pin]
        stage: Stage<F, K>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, K> {
        Rejected { rejected: Rejected },
        // The permit is gone once the call has answered.
        Called { #[pin] call: F, permit: Option<Permit>, classify: K, clock: Clock },
    }
}

impl<F, K, R, E> Future for BreakerFuture<F, K>
where
    F: Future<Output = Result<R, E>>,
    K: Fn(&Result<R, E>) -> Outcome,
{
    type Output = Result<R, CallError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (call, permit, classify, clock) = match self.project().stage.project() {
            StageProjection::Rejected { rejected } => {
                return Poll::Ready(Err(CallError::Rejected(*rejected)));
            }
            StageProjection::Called { call, permit, classify, clock } => {
                (call, permit, classify, clock)
            }
        };
        let result = ready!(call.poll(cx));
        if let Some(permit) = permit.take() {
            match classify(&result) {
                Outcome::Success => permit.succeeded(clock()),
                Outcome::Failure => permit.failed(clock()),
                Outcome::Neutral => drop(permit),
            }
        }
        Poll::Ready(result.map_err(CallError::Inner))
    }
}

impl<K> fmt::Debug for BreakerLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, K> fmt::Debug for BreakerService<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerService")
            .field("inner", &self.inner)
            .field("breaker", &self.guard.breaker)
            .finish_non_exhaustive()
    }
}

impl<F, K> fmt::Debug for BreakerFuture<F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture").finish_non_exhaustive()
    }
}
