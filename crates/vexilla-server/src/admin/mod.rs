//! The admin API: what a client holds and counts, and ways to make it look again.
//!
//! Reading and refreshing go through the [`Operator`] port. Nothing here turns a flag off: to invalidate one is to
//! read it anew, and the copy that is there is served until then.

mod answer;
mod counts;
mod openapi;
mod route;
mod stats;
mod wire;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode};
use hyper::body::Body;
use tokio::sync::Semaphore;
use tower::{BoxError, Service, service_fn};
use vexilla_domain::{Clock, Operator, Secret};

use crate::admin::route::Route;
use crate::change::{Change, InForce};
use crate::listener::{BindError, BoundServer, ListenAddress, Listener, ListenerConfig};
use crate::local;
use crate::reply::{Problem, Reply, read_body, reply};
use crate::secret::{CredentialError, knows};
use crate::trace::{self, TraceParent, request_span};

/// What the admin API allows, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminConfig {
    /// What callers of `/admin` have to send as `Authorization: Bearer …`. Without one everybody who reaches the
    /// address may call, so that only a loopback address or a Unix socket can be bound; and on a loopback address only who
    /// calls it so is answered (`Host`), and no page of another site (`Origin`).
    pub token: Option<Secret>,
    /// The largest request body in bytes; a larger one is answered 413.
    pub max_body_bytes: usize,
    /// How many requests are worked on at once; one more is answered 503. `/health` and `/ready` always answer.
    pub max_concurrent_requests: usize,
    /// How long a client may take for a request's body.
    pub read_timeout: Duration,
    /// How long an answer may take, a refresh included; then it is 504.
    pub answer_timeout: Duration,
    /// The connections: TLS, how many, how long.
    pub listener: ListenerConfig,
}

impl Default for AdminConfig {
    fn default() -> Self {
        let listener = ListenerConfig {
            max_connections: 256,
            header_timeout: Duration::from_secs(5),
            ..ListenerConfig::default()
        };
        Self {
            token: None,
            max_body_bytes: 1 << 20,
            max_concurrent_requests: 64,
            read_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            listener,
        }
    }
}

/// The admin API of a running client.
///
/// Routes: `GET /health`, `/ready`, `/openapi.json`, `/metrics` (with [`with_metrics`](Self::with_metrics)), and behind
/// the token `GET /admin/stats`, `/admin/flags`, `/admin/flags/{key}`, `POST /admin/invalidate`,
/// `/admin/invalidate-all`, `/admin/refresh`, `/admin/explain`. Clones share their limits, which [`settings`](Self::settings)
/// change.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use vexilla_domain::{Clock, Operator, Secret};
/// # use vexilla_server::{Admin, AdminConfig};
/// # async fn example(operator: Arc<dyn Operator>, clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let admin = Admin::new(operator, clock, AdminConfig::default());
/// let bound = admin.bind(&"127.0.0.1:19000".parse()?).await?;
/// let stop = async { /* wait for a signal */ };
/// bound.serve(stop, Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admin {
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    settings: AdminSettings,
    metrics: Option<Metrics>,
    trace: TraceParent,
    /// Whether it listens on a port: without a token a browser on this machine might be made to call.
    on_port: bool,
}

/// What an admin API allows, and whom, while it serves.
#[derive(Debug, Clone)]
pub struct AdminSettings(Arc<InForce<Inner>>);

#[derive(Debug)]
struct Inner {
    config: AdminConfig,
    slots: Semaphore,
}

impl AdminSettings {
    /// Other limits and another token.
    ///
    /// # Errors
    ///
    /// If the token is empty, or if there is none and others than this machine reach the address.
    pub fn change(&self, config: AdminConfig) -> Result<Change, CredentialError> {
        match &config.token {
            Some(token) if token.is_empty() => Err(CredentialError::Empty),
            None if self.0.is_public() => Err(CredentialError::Missing),
            _ => {
                let listener = config.listener.clone();
                Ok(self.0.change(Inner::new(config), listener))
            }
        }
    }
}

impl Inner {
    fn new(config: AdminConfig) -> Self {
        let slots = Semaphore::new(config.max_concurrent_requests.min(Semaphore::MAX_PERMITS));
        Self { config, slots }
    }
}

#[derive(Clone)]
struct Metrics {
    media_type: &'static str,
    render: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

impl Admin {
    /// The admin API in front of a client.
    pub fn new(operator: Arc<dyn Operator>, clock: Arc<dyn Clock>, config: AdminConfig) -> Self {
        let listener = config.listener.clone();
        let settings = AdminSettings(Arc::new(InForce::new(Inner::new(config), listener)));
        let trace = TraceParent::default();
        Self { operator, clock, settings, metrics: None, trace, on_port: false }
    }

    /// The way to change what it allows while it serves.
    pub fn settings(&self) -> AdminSettings {
        self.settings.clone()
    }

    /// Ties the spans of requests to the traces that callers are in.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceParent) -> Self {
        self.trace = trace;
        self
    }

    /// Answers `GET /metrics` with what `render` gives, as this media type. No token is asked for.
    #[must_use]
    pub fn with_metrics(
        mut self,
        media_type: &'static str,
        render: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Self {
        self.metrics = Some(Metrics { media_type, render });
        self
    }

    /// Opens the address.
    ///
    /// # Errors
    ///
    /// If it cannot be listened on, or if others than this machine would reach it and there is no token.
    pub async fn bind(mut self, address: &ListenAddress) -> Result<BoundServer, BindError> {
        let in_force = &self.settings.0;
        match &in_force.now().config.token {
            Some(token) if token.is_empty() => {
                return Err(BindError::new(address, "the admin API's token is empty"));
            }
            None if !address.is_local() => {
                let reason = "the admin API has no token: without one it listens on a loopback address or a Unix socket only";
                return Err(BindError::new(address, reason));
            }
            _ => {}
        }
        let listener = Listener::bind(address, &in_force.listener).await?;
        in_force.listens(address);
        self.on_port = matches!(address, ListenAddress::Tcp(_));
        Ok(BoundServer::new(listener, move |it| self.answer(it)))
    }

    /// The admin API as a tower service, to be called in process or wrapped in further layers. It always answers.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Reply, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let admin = self.clone();
        service_fn(move |request: Request<B>| admin.answer(request).map(Ok))
    }

    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Reply> + Send + use<B>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let admin = self.clone();
        async move {
            let span = request_span!("admin", admin.trace, request);
            let work = trace::caught(admin.try_respond(request), Problem::panicked);
            trace::answered(span, work.map(|it| it.unwrap_or_else(Problem::into_reply))).await
        }
    }

    async fn try_respond<B>(&self, request: Request<B>) -> Result<Reply, Problem>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let (head, body) = request.into_parts();
        let in_force = self.settings.0.now();
        let Inner { config, slots } = &*in_force;
        let (operator, clock) = (&self.operator, &self.clock);
        // Before anything else, so that who has no token learns of no path either.
        if route::is_guarded(head.uri.path()) {
            config.check_token(&head.headers)?;
        }
        let route = Route::find(head.uri.path()).ok_or_else(Problem::unknown_path)?;
        let asked = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        if *asked != route.method() {
            return Err(Problem::wrong_method(route.allowed()));
        }
        trace::route(route.name());
        match route {
            Route::Health => return Ok(answer::health()),
            Route::Ready => return Ok(answer::ready(&**operator)),
            _ => {}
        }
        let in_reach_of_pages = self.on_port && config.token.is_none();
        if let Some(reason) = local::refused(&head.headers).filter(|_| in_reach_of_pages) {
            return Err(Problem::new(StatusCode::FORBIDDEN, reason));
        }
        let _slot = slots.try_acquire().map_err(|_| Problem::overloaded())?;
        let body = read_body(&head.headers, body, config.max_body_bytes, config.read_timeout);
        let body = body.await?;
        if route.takes_json() {
            local::check_media_type(&head.headers)?;
        }
        let work = async {
            match route {
                Route::Health => Ok(answer::health()),
                Route::Ready => Ok(answer::ready(&**operator)),
                Route::OpenApi => Ok(answer::openapi()),
                Route::Metrics => self.metrics(),
                Route::Stats => Ok(answer::stats(&**operator)),
                Route::Flags => answer::flags(Arc::clone(operator)).await,
                Route::Flag(key) => answer::flag(&**operator, &key?).await,
                Route::Explain => answer::explain(&**operator, &body).await,
                Route::Invalidate => answer::invalidate(&**operator, &**clock, &body).await,
                Route::InvalidateAll => answer::invalidate_all(&**operator, &**clock).await,
                Route::Refresh => answer::refresh(&**operator, &**clock).await,
            }
        };
        tokio::time::timeout(config.answer_timeout, work).await.unwrap_or_else(|_| {
            let message =
                "the answer was not ready in time; the flags that are there are served on";
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, message))
        })
    }

    fn metrics(&self) -> Result<Reply, Problem> {
        let Metrics { media_type, render } =
            self.metrics.as_ref().ok_or_else(Problem::unknown_path)?;
        Ok(reply(StatusCode::OK, media_type, render()))
    }
}

impl AdminConfig {
    fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        match headers.get(header::AUTHORIZATION).and_then(bearer) {
            Some(guess) if knows(token, guess) => Ok(()),
            Some(_) => Err(Problem::unauthorized("the token is wrong")),
            None => Err(Problem::unauthorized("send the token as `Authorization: Bearer …`")),
        }
    }
}

/// The token of `Bearer …`.
pub(crate) fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
