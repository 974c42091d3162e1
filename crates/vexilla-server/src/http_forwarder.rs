//! Requests handed on to Flagr over HTTP: as they are, within limits.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::BoxError;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use crate::forward::{ForwardBody, ForwardError, ForwardErrorKind, Forwarder};

/// Where requests are handed on to, and within which limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwardConfig {
    /// Flagr's address, such as `http://flagr:18000`. Requests keep their path, so it has none.
    pub url: String,
    /// The largest request body in bytes; a larger one is answered 413.
    pub max_body_bytes: usize,
    /// How many answers are waited for at once; one more request is answered 503.
    pub max_concurrent_requests: usize,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long Flagr may take to begin its answer; then it is 504.
    pub answer_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub idle_timeout: Duration,
}

impl ForwardConfig {
    /// The default limits for this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_body_bytes: 32 << 20,
            max_concurrent_requests: 256,
            connect_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// An address that requests cannot be handed on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address to pass requests on to must be like `http://flagr:18000`, without a path or a user"
)]
pub struct ForwardUrlError;

/// Hands requests on over HTTP/1.1, with the connections kept for the next ones. It follows no redirects, asks no proxy,
/// and sends nothing twice.
pub struct HttpForwarder {
    config: ForwardConfig,
    scheme: Scheme,
    authority: Authority,
    client: Client<HttpsConnector<HttpConnector>, ForwardBody>,
    free: Semaphore,
}

impl HttpForwarder {
    /// A forwarder that trusts what `tls` trusts. For an `http` address that is not looked at.
    ///
    /// # Errors
    ///
    /// If the address is none.
    pub fn new(config: ForwardConfig, tls: ClientConfig) -> Result<Self, ForwardUrlError> {
        let uri: Uri = config.url.parse().map_err(|_| ForwardUrlError)?;
        let parts = uri.into_parts();
        let is_bare = parts.path_and_query.is_none_or(|it| it == "/");
        let scheme = parts.scheme.filter(|it| [Scheme::HTTP, Scheme::HTTPS].contains(it));
        let authority = parts.authority.filter(|it| !it.as_str().contains('@'));
        let (Some(scheme), Some(authority), true) = (scheme, authority, is_bare) else {
            return Err(ForwardUrlError);
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(config.connect_timeout));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .retry_canceled_requests(false)
            .build::<_, ForwardBody>(connector.wrap_connector(tcp));
        let most = config.max_concurrent_requests.min(Semaphore::MAX_PERMITS);
        Ok(Self { scheme, authority, client, free: Semaphore::new(most), config })
    }

    /// The body, which breaks off when it stands still for too long.
    fn timed<B>(&self, body: B) -> ForwardBody
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return body.map_err(Into::into).boxed_unsync();
        }
        TimeoutBody::new(self.config.idle_timeout, body).boxed_unsync()
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, ForwardError> {
        self.free.try_acquire().map_err(|_| ForwardError::new(ForwardErrorKind::Overloaded, None))
    }
}

#[async_trait]
impl Forwarder for HttpForwarder {
    async fn forward(
        &self,
        request: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError> {
        let _permit = self.permit()?;
        let (mut head, body) = request.into_parts();
        let most = u64::try_from(self.config.max_body_bytes).unwrap_or(u64::MAX);
        if most < body.size_hint().lower() {
            return Err(ForwardError::new(ForwardErrorKind::TooLarge, None));
        }
        let mut target = http::uri::Parts::default();
        target.scheme = Some(self.scheme.clone());
        target.authority = Some(self.authority.clone());
        let path = head.uri.path_and_query().cloned();
        target.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        head.uri = Uri::from_parts(target).map_err(|error| {
            ForwardError::new(ForwardErrorKind::Unavailable, BoxError::from(error))
        })?;
        head.version = http::Version::HTTP_11;
        // A body that is timed does not tell its length any more.
        if let Some(length) = body.size_hint().exact().filter(|_| !body.is_end_stream()) {
            head.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        // What goes wrong with it is the caller's doing, and not Flagr's.
        let body = self.timed(Limited::new(body, self.config.max_body_bytes));
        let body = body.map_err(|error| BoxError::from(OfCaller(error))).boxed_unsync();
        let request = Request::from_parts(head, body);
        match tokio::time::timeout(self.config.answer_timeout, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(|body| self.timed(body))),
            Ok(Err(error)) => {
                let error = BoxError::from(error);
                let kind = if is_caused_by::<LengthLimitError>(&*error) {
                    ForwardErrorKind::TooLarge
                } else if !is_caused_by::<OfCaller>(&*error) {
                    ForwardErrorKind::Unavailable
                } else if is_caused_by::<TimeoutError>(&*error) {
                    ForwardErrorKind::SlowRequest
                } else {
                    ForwardErrorKind::BadRequest
                };
                Err(ForwardError::new(kind, error))
            }
            Err(_) => Err(ForwardError::new(ForwardErrorKind::TimedOut, None)),
        }
    }
}

/// The body of a request failed.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request")]
struct OfCaller(#[source] BoxError);

impl fmt::Debug for HttpForwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpForwarder").field("config", &self.config).finish_non_exhaustive()
    }
}

fn is_caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<E>() {
            return true;
        }
        next = error.source();
    }
    false
}
