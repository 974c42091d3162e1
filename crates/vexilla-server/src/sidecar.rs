//! The sidecar as a service: route, body, limits, answer.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::sync::Semaphore;
use tower::load_shed::error::Overloaded;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use vexilla_domain::{Clock, Engine};

use crate::answer::{self, Answerer, Received};
use crate::config::SidecarConfig;
use crate::error::{Answered, Refusal};
use crate::media_type;
use crate::route::Route;
use crate::selection::Selection;

/// Answers on the wire as Flagr does.
///
/// It works on Tokio; requests need its timer. Clones share their limits.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use vexilla_domain::{Clock, Engine};
/// # use vexilla_server::{BindError, Sidecar, SidecarConfig};
/// # async fn example(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let sidecar = Sidecar::new(engine, clock, SidecarConfig::default());
/// let bound = sidecar.bind("127.0.0.1:18100".parse()?).await?;
/// let stop = async { /* wait for a signal */ };
/// bound.serve(stop, Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sidecar {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SidecarConfig,
    /// Answers within the limits. An error says that a limit was hit.
    limited: BoxCloneSyncService<Received, Result<Answered, Refusal>, BoxError>,
}

impl Sidecar {
    /// A sidecar in front of an engine.
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, config: SidecarConfig) -> Self {
        let answerer = Arc::new(Answerer {
            engine,
            clock,
            max_batch_size: match config.max_batch_size {
                0 => usize::MAX,
                most => most,
            },
            max_answer_bytes: config.max_answer_bytes,
        });
        let limited = ServiceBuilder::new()
            .load_shed()
            .concurrency_limit(config.max_concurrent_requests.min(Semaphore::MAX_PERMITS))
            .timeout(config.answer_timeout)
            .service_fn(move |received| {
                let answerer = Arc::clone(&answerer);
                async move { Ok::<_, Infallible>(answerer.answer(received).await) }
            });
        Self { inner: Arc::new(Inner { config, limited: BoxCloneSyncService::new(limited) }) }
    }

    /// The sidecar as a tower service, to be called in process or wrapped in further layers. It always answers.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Answered, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let inner = Arc::clone(&self.inner);
        service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { Ok(inner.respond(request).await) }
        })
    }

    pub(crate) fn config(&self) -> &SidecarConfig {
        &self.inner.config
    }
}

impl Inner {
    /// Answers whatever happens: an error is turned into its answer, and so is a panic.
    async fn respond<B>(&self, request: Request<B>) -> Answered
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let work = AssertUnwindSafe(self.try_respond(request));
        let result = work.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("answering a request panicked");
            Err(Refusal::panicked())
        });
        let mut response = result.unwrap_or_else(Refusal::into_response);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        response
    }

    async fn try_respond<B>(&self, request: Request<B>) -> Result<Answered, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let route = Route::find(&head.method, head.uri.path())?;
        let received = match route {
            Route::Health => return Ok(answer::health()), // says that the process lives, however busy it is
            Route::Export => Received::Export(Selection::read(head.uri.query())?),
            Route::Evaluation => Received::Evaluation(self.read_body(&head.headers, body).await?),
            Route::Batch => Received::Batch(self.read_body(&head.headers, body).await?),
        };
        match self.limited.clone().oneshot(received).await {
            Ok(result) => result,
            Err(error) if error.is::<Overloaded>() => Err(Refusal::overloaded()),
            Err(_) => Err(Refusal::too_slow()),
        }
    }

    /// Reads a body of JSON, as far as the limits allow.
    async fn read_body<B>(&self, headers: &HeaderMap, body: B) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let limit = self.config.max_body_bytes;
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(Refusal::body_too_large(limit));
        }
        let body = match tokio::time::timeout(
            self.config.read_timeout,
            Limited::new(body, limit).collect(),
        )
        .await
        {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(Refusal::body_too_large(limit));
            }
            Ok(Err(_)) => return Err(Refusal::body_cut()),
            Err(_) => return Err(Refusal::body_too_slow()),
        };
        if body.is_empty() {
            return Err(Refusal::missing_body());
        }
        media_type::check(headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        Ok(body)
    }
}
