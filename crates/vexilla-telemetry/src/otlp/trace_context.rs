//! W3C trace context: the trace that a request belongs to, from its headers into a span and back.

use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes a span part of the trace that a request's `traceparent` and `tracestate` name, if they do.
///
/// It must be called before the span is entered for the first time. Headers that cannot be read count as missing.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if parent.span().span_context().is_valid() {
        let _ = span.set_parent(parent); // a span that is not traced has no place for it
    }
}

/// The headers that tell of a span's trace; none where it is in none.
pub fn trace_of(span: &Span) -> HeaderMap {
    let mut headers = HeaderMap::new();
    inject(span, &mut headers);
    headers
}

/// Puts the trace of a span into the headers of a request that is about to be sent. Without a trace they stay as they are.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    if context.span().span_context().is_valid() {
        TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    }
}
