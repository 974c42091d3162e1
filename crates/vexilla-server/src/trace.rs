//! The span of a request, and the trace that its caller is in.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::{HeaderMap, Method, Response};
use tracing::{Instrument, Span};

/// Makes the span of a request part of the trace that its headers name. By default nobody does.
#[derive(Clone, Default)]
pub struct TraceParent(Option<Arc<Adopt>>);

type Adopt = dyn Fn(&Span, &HeaderMap) + Send + Sync;

impl TraceParent {
    /// Calls this for each request, before its span is entered.
    pub fn new(adopt: impl Fn(&Span, &HeaderMap) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(adopt)))
    }

    /// Takes the caller's trace. A span that nobody sees is left alone.
    pub(crate) fn adopt(&self, span: &Span, headers: &HeaderMap) {
        if let Some(adopt) = self.0.as_ref().filter(|_| !span.is_disabled()) {
            adopt(span, headers);
        }
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceParent").field("set", &self.0.is_some()).finish()
    }
}

/// The span of a request, in the trace of its caller. Its path may hold anything, so only the route that is found gets
/// into it.
macro_rules! request_span {
    ($name:literal, $parent:expr, $request:expr) => {{
        let span = tracing::info_span!(
            $name,
            otel.kind = "server",
            http.request.method = $crate::trace::method($request.method()),
            http.route = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        $parent.adopt(&span, $request.headers());
        span
    }};
}
pub(crate) use request_span;

/// The method as the convention for spans has it: one that nobody knows may be any text.
pub(crate) fn method(method: &Method) -> &str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    if KNOWN.contains(method) { method.as_str() } else { "_OTHER" }
}

/// Notes in the current span which route a request took.
pub(crate) fn route(route: &'static str) {
    Span::current().record("http.route", route);
}

/// What comes of some work, or what stands for it where that panics. No `async` block, which would hold the work twice.
pub(crate) fn caught<T, E>(
    work: impl Future<Output = Result<T, E>>,
    panicked: fn() -> E,
) -> impl Future<Output = Result<T, E>> {
    AssertUnwindSafe(work).catch_unwind().map(move |result| {
        result.unwrap_or_else(|_| {
            tracing::error!("answering a request panicked");
            Err(panicked())
        })
    })
}

/// Answers within the span, and notes there what came of it. What we could not do is an error, what a caller may not is
/// none.
pub(crate) fn answered<B>(
    span: Span,
    work: impl Future<Output = Response<B>>,
) -> impl Future<Output = Response<B>> {
    work.instrument(span.clone()).inspect(move |response| {
        let status = response.status();
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    })
}
