//! Requests that Flagr answers: handed on as they came, and followed by a look at what they changed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::Body;
use tower::BoxError;
use vexilla_domain::Operator;

use crate::error::{Answered, Refusal};
use crate::flag_change::FlagChange;
use crate::hop;

/// A body on its way through.
pub type ForwardBody = UnsyncBoxBody<Bytes, BoxError>;

/// Hands requests on to Flagr. Without redirects, without decompression: what comes back is passed on as it is.
#[async_trait]
pub trait Forwarder: fmt::Debug + Send + Sync {
    /// Sends a request, whose target is a path with a query, and gives the answer as soon as its head is there.
    ///
    /// # Errors
    ///
    /// If there is no answer, or not in time.
    async fn forward(
        &self,
        request: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError>;
}

/// A request that could not be handed on.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ForwardError {
    kind: ForwardErrorKind,
    #[source]
    source: Option<BoxError>,
}

/// Why a request could not be handed on. More kinds may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardErrorKind {
    /// Flagr cannot be reached, or broke off.
    #[error("flagr cannot be reached")]
    Unavailable,
    /// Flagr did not answer in time.
    #[error("flagr did not answer in time")]
    TimedOut,
    /// Too many requests are on their way already.
    #[error("too many requests are being passed on, try again later")]
    Overloaded,
    /// The request's body is larger than is handed on.
    #[error("request body is too large to be passed on")]
    TooLarge,
    /// The request's body broke off, or is malformed.
    #[error("request body could not be received")]
    BadRequest,
    /// The request's body stood still for too long.
    #[error("request body did not arrive in time")]
    SlowRequest,
}

impl ForwardError {
    /// An error of this kind, with what caused it.
    pub fn new(kind: ForwardErrorKind, source: impl Into<Option<BoxError>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// The kind.
    pub fn kind(&self) -> ForwardErrorKind {
        self.kind
    }
}

/// Lets Flagr answer.
#[derive(Debug)]
pub(crate) struct PassThrough {
    pub(crate) forwarder: Arc<dyn Forwarder>,
    pub(crate) operator: Option<Arc<dyn Operator>>,
}

impl PassThrough {
    /// Flagr's answer. One to a change waits until the change is served here, for a while; without an answer, and where
    /// the caller goes away, the change is looked at all the same.
    pub(crate) async fn answer<B>(&self, request: Request<Option<B>>) -> Result<Answered, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (mut head, body) = request.into_parts();
        if head.method == Method::CONNECT || !head.uri.path().starts_with('/') {
            return Err(Refusal::unknown_path(head.uri.path()));
        }
        hop::strip(&mut head.headers);
        for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT] {
            head.headers.remove(name); // the next connection has its own
        }
        let target = head.uri.path_and_query().cloned();
        head.uri = target.map(Into::into).unwrap_or_default();
        let change = FlagChange::of(&head.method, head.uri.path());
        let change = change.zip(self.operator.as_deref()).map(|(it, by)| it.begin(by));
        let body = match body {
            Some(body) => body.map_err(Into::into).boxed_unsync(),
            None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        };
        let request = Request::from_parts(head, body);
        let response = match self.forwarder.forward(request).await {
            Ok(response) => response,
            Err(error) => {
                // Whatever else went wrong, Flagr may have made the change.
                if let Some(pending) = change
                    && matches!(
                        error.kind(),
                        ForwardErrorKind::Overloaded | ForwardErrorKind::TooLarge
                    )
                {
                    pending.dismiss();
                }
                return Err(told(&error));
            }
        };
        let (mut head, body) = response.into_parts();
        hop::strip(&mut head.headers);
        let mut body = Either::Right(body);
        if let Some(mut pending) = change {
            if head.status.is_success() {
                body = pending.name(body, &head.headers).await?;
                pending.settle().await;
            } else if !head.status.is_server_error() {
                pending.dismiss(); // Flagr refused it
            }
        }
        Ok(Response::from_parts(head, body))
    }
}

/// The refusal that an error becomes; the log has its cause.
fn told(error: &ForwardError) -> Refusal {
    let cause = error as &dyn std::error::Error;
    match error.kind() {
        // The caller's own doing, as often as it likes.
        ForwardErrorKind::TooLarge
        | ForwardErrorKind::BadRequest
        | ForwardErrorKind::SlowRequest => {
            tracing::debug!(error = cause, "a request cannot be passed on");
        }
        _ => tracing::warn!(error = cause, "cannot pass a request on"),
    }
    Refusal::not_forwarded(error)
}
