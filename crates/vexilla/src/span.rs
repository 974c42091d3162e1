//! Spans of the client's own work, with what went wrong on them.

use std::fmt::Display;

use tracing::{Instrument, Span};

/// A span that can carry an error. It costs next to nothing where nobody takes it.
macro_rules! span {
    ($name:literal $(, $($field:tt)*)?) => {
        tracing::info_span!(
            $name,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            $($($field)*)?
        )
    };
}
pub(crate) use span;

/// Does work within a span, and notes there how it failed.
pub(crate) async fn within<T, E: Display>(
    span: Span,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let outcome = work.instrument(span.clone()).await;
    outcome.inspect_err(|error| failed(&span, error))
}

/// Notes a failure.
pub(crate) fn failed(span: &Span, error: &dyn Display) {
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", tracing::field::display(error));
}
