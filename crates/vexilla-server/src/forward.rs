//! Requests that Flagr answers: handed on as they came, and followed by a look at what they changed.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::{StreamExt, stream};
use http::header::{self, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Either, Full, StreamBody};
use hyper::body::{Body, Frame};
use serde::Deserialize;
use tower::BoxError;
use vexilla_domain::{FlagId, FlagName, Operator};

use crate::error::{Answered, Refusal};
use crate::hop;

/// How long an answer to a change waits for the change to be served here.
const SETTLE: Duration = Duration::from_secs(2);

/// The id of a new flag is looked for in an answer of up to this many bytes.
const MAX_NEW_FLAG: usize = 1 << 20;

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
    /// Flagr's answer. One to a change waits until the change is served here, for a while.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Result<Answered, Refusal>
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
        let change = Change::of(&head.method, head.uri.path());
        let request = Request::from_parts(head, body.map_err(Into::into).boxed_unsync());
        let response = self.forwarder.forward(request).await.map_err(|error| {
            let cause = &error as &dyn std::error::Error;
            match error.kind() {
                // The caller's own doing, as often as it likes.
                ForwardErrorKind::TooLarge
                | ForwardErrorKind::BadRequest
                | ForwardErrorKind::SlowRequest => {
                    tracing::debug!(error = cause, "a request cannot be passed on");
                }
                _ => tracing::warn!(error = cause, "cannot pass a request on"),
            }
            Refusal::not_forwarded(&error)
        })?;
        let (mut head, body) = response.into_parts();
        hop::strip(&mut head.headers);
        let mut body = Either::Right(body);
        if let Some(change) = change.filter(|_| head.status.is_success()) {
            let flag = match change {
                Change::Of(id) => Some(id),
                Change::New => {
                    let is_packed = head.headers.get(header::CONTENT_ENCODING)
                        == Some(&HeaderValue::from_static("gzip"));
                    let (whole, id) = read_new_flag(body, is_packed).await?;
                    body = whole;
                    id
                }
                Change::Unknown => None,
            };
            self.settle(flag).await;
        }
        Ok(Response::from_parts(head, body))
    }

    async fn settle(&self, flag: Option<FlagId>) {
        let Some(operator) = &self.operator else { return };
        let flags: Vec<_> =
            flag.map(|id| FlagName { id, key: Box::default() }).into_iter().collect();
        let read = async {
            if flags.is_empty() {
                operator.reread_all().await
            } else {
                operator.reread(&flags).await
            }
        };
        match tokio::time::timeout(SETTLE, read).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot read a change that was passed on"
                );
                operator.notify(&flags);
            }
            Err(_) => operator.notify(&flags), // it goes on without this caller
        }
    }
}

/// What a request changes when it succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// This flag.
    Of(FlagId),
    /// A new flag, which the answer names.
    New,
    /// Something, or nothing.
    Unknown,
}

impl Change {
    fn of(method: &Method, path: &str) -> Option<Self> {
        if !matches!(*method, Method::POST | Method::PUT | Method::DELETE | Method::PATCH) {
            return None;
        }
        let (_, rest) = path.split_once("/api/v1/flags")?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let mut parts = rest.split('/').filter(|it| !it.is_empty());
        Some(match (parts.next(), parts.next()) {
            (None, _) | (Some(_), Some("duplicate")) => Self::New,
            (Some(id), _) => id.parse().map_or(Self::Unknown, |id| Self::Of(FlagId(id))),
        })
    }
}

type AnswerBody = Either<Full<Bytes>, ForwardBody>;

/// Reads an answer that names a new flag, as far as it is not too long, and gives it back whole.
async fn read_new_flag(
    mut body: AnswerBody,
    is_packed: bool,
) -> Result<(AnswerBody, Option<FlagId>), Refusal> {
    #[derive(Deserialize)]
    struct NewFlag {
        id: u64,
    }
    let mut read = Vec::new();
    while read.len() <= MAX_NEW_FLAG {
        match body.frame().await {
            None => {
                let id = unpacked(&read, is_packed)
                    .and_then(|it| serde_json::from_slice::<NewFlag>(&it).ok())
                    .map(|it| FlagId(it.id));
                return Ok((Either::Left(Full::new(read.into())), id));
            }
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().map_or(&[], |it| it)),
            Some(Err(error)) => {
                let error = ForwardError::new(ForwardErrorKind::Unavailable, error);
                return Err(Refusal::not_forwarded(&error));
            }
        }
    }
    let begun = stream::once(async { Ok(Frame::data(Bytes::from(read))) });
    let rest = StreamBody::new(begun.chain(BodyStream::new(body)));
    Ok((Either::Right(rest.boxed_unsync()), None))
}

fn unpacked(body: &[u8], is_packed: bool) -> Option<Vec<u8>> {
    if !is_packed {
        return Some(body.to_vec());
    }
    let mut out = Vec::new();
    GzDecoder::new(body).take(MAX_NEW_FLAG as u64).read_to_end(&mut out).ok()?;
    Some(out)
}
