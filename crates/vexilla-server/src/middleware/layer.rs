//! The layer: builds the context on the way in, sets the session's cookie on the way out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::header::{self, HeaderValue};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use vexilla_domain::Context;

use super::session::{cookie, fresh_id, kept, set_cookie};
use super::{ContextConfig, SessionCookie};

/// Puts a [`Context`] and a client into the extensions of every request.
///
/// ```
/// use vexilla_server::middleware::{ContextConfig, ContextLayer, TrustedProxies};
///
/// # fn example<C: Clone + Send + Sync + 'static>(client: C) -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = ContextConfig::default().with_header("x-tenant".parse()?)?;
/// config.trusted_proxies = TrustedProxies::parse(["10.0.0.0/8"])?;
/// let layer = ContextLayer::new(client, config);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ContextLayer<C> {
    client: C,
    config: Arc<ContextConfig>,
}

impl<C> ContextLayer<C> {
    /// A layer that hands out clones of a client.
    pub fn new(client: C, config: ContextConfig) -> Self {
        Self { client, config: Arc::new(config) }
    }
}

impl<S, C: Clone> Layer<S> for ContextLayer<C> {
    type Service = ContextService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        ContextService { inner, client: self.client.clone(), config: Arc::clone(&self.config) }
    }
}

/// A service behind a [`ContextLayer`].
#[derive(Debug, Clone)]
pub struct ContextService<S, C> {
    inner: S,
    client: C,
    config: Arc<ContextConfig>,
}

impl<S, C, B, R> Service<Request<B>> for ContextService<S, C>
where
    S: Service<Request<B>, Response = Response<R>>,
    C: Clone + Send + Sync + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = WithCookie<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (context, cookie) = build(&self.config, &request);
        request.extensions_mut().insert(context);
        request.extensions_mut().insert(self.client.clone());
        WithCookie { inner: self.inner.call(request), cookie }
    }
}

/// The context of a request, and the cookie that is to be set.
fn build<B>(config: &ContextConfig, request: &Request<B>) -> (Context, Option<HeaderValue>) {
    let headers = request.headers();
    let header = config.user_header.as_ref().and_then(|name| headers.get(name));
    let user = header.and_then(|it| str::from_utf8(it.as_bytes()).ok()).map(str::trim);
    let user = user.filter(|it| !it.is_empty());
    let user = user.or_else(|| cookie(headers, config.user_cookie.as_deref()?));
    let (id, set) = match (user, &config.anonymous) {
        (Some(id), _) => (id.into(), None),
        (None, None) => (Box::default(), None),
        (None, Some(session)) => anonymous(session, request),
    };

    let mut context = Context::new(id)
        .with_entity_type(&*config.entity_type)
        .with("method", request.method().as_str())
        .with("path", request.uri().path());
    if let Some(client) = config.trusted_proxies.client(request.extensions(), headers) {
        context = context.with("client_ip", client.to_string());
    }
    for (name, attribute) in &config.headers {
        let values: Option<Vec<_>> =
            headers.get_all(name).iter().map(|it| str::from_utf8(it.as_bytes()).ok()).collect();
        if let Some(values) = values.filter(|it| !it.is_empty()) {
            context = context.with(attribute, values.join(", "));
        }
    }
    (context, set)
}

fn anonymous<B>(session: &SessionCookie, request: &Request<B>) -> (Box<str>, Option<HeaderValue>) {
    match kept(request.headers(), session) {
        Some(id) => (id.into(), None),
        None => {
            let id = fresh_id();
            let set = set_cookie(session, &id);
            (id.into(), set)
        }
    }
}

pin_project! {
    /// An answer that may get a cookie.
    #[derive(Debug)]
    pub struct WithCookie<F> {
        #[pin]
        inner: F,
        cookie: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for WithCookie<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        if let Some(cookie) = this.cookie.take() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Poll::Ready(Ok(response))
    }
}
