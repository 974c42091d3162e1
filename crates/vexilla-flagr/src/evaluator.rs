//! Flagr as a [`RemoteEvaluator`]: a `POST` for one evaluation, as few as possible for a batch, none of them twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use tokio::time::timeout;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Context, RemoteCall, RemoteError, RemoteErrorKind, RemoteEvaluator,
    SelectedBy,
};

use crate::answer::{self, Unreadable};
use crate::batch::{Piece, Placed, line_up, selection};
use crate::client::Client;
use crate::exchange::{self, Limits};
use crate::refusal::{MAX_REFUSAL, Refusal};
use crate::{error, hand_on, request};

const EVALUATION: &str = "/api/v1/evaluation";
const BATCH: &str = "/api/v1/evaluation/batch";

/// Evaluation by a live Flagr, over the connections of the [`FlagrSource`](crate::FlagrSource) that gave it. Clones share
/// them too.
///
/// Flagr does not say why an evaluation came out as it did. A variant is reported with the reason
/// [`TargetingMatch`](vexilla_domain::Reason::TargetingMatch), also where a split chose it; no variant with
/// [`NoMatch`](vexilla_domain::Reason::NoMatch), or with [`Holdout`](vexilla_domain::Reason::Holdout) where a log was
/// asked for and tells. A flag that is missing, disabled or has no segments is told apart.
///
/// The headers of a [`Context`](vexilla_domain::Context) go with an evaluation, for flags that read them (`@http_…`);
/// never those that are ours to say (credentials, cookies, what the body is) or that belong to a connection. They go with
/// a batch where all its entities have the same.
///
/// # Batches
///
/// A batch is one request, or as many as [`max_batch_evaluations`](crate::FlagrConfig::max_batch_evaluations) and Flagr's
/// own limit make necessary, one after the other. Flagr's limit is learnt when it refuses a batch, and remembered; the
/// refused part is split and asked for again, which Flagr has not evaluated then. All requests of a call share its time,
/// and if one fails, so does the call.
#[derive(Debug, Clone)]
pub struct FlagrEvaluator {
    client: Arc<Client>,
    limits: Limits,
    /// The largest batch: the configured one, or Flagr's where that is smaller.
    max_batch: Arc<AtomicUsize>,
}

/// What a request brought.
enum Reply {
    Json(Vec<u8>),
    Refused(Refusal),
}

impl FlagrEvaluator {
    pub(crate) fn new(client: Arc<Client>, limits: Limits, max_batch: usize) -> Self {
        Self { client, limits, max_batch: Arc::new(AtomicUsize::new(max_batch)) }
    }

    fn call(&self, path: &str) -> String {
        self.client.call(&Method::POST, path)
    }

    /// What of a caller's request goes along.
    fn headers_of(&self, context: &Context) -> HeaderMap {
        hand_on::headers(context, self.client.own_header().as_ref(), self.client.tells_trace())
    }

    /// Asks once.
    async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, RemoteError> {
        let call = self.call(path);
        let request = self
            .client
            .request(Method::POST, path, &[])
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = exchange::send(&call, request, self.limits).await?;
        match response.status() {
            StatusCode::OK => Ok(Reply::Json(exchange::json(&call, response, self.limits).await?)),
            status => {
                let limits = Limits { max_bytes: MAX_REFUSAL, ..self.limits };
                let body = exchange::beginning(&call, response, limits).await?;
                Ok(Reply::Refused(Refusal { status, body }))
            }
        }
    }

    fn refused(&self, path: &str, refusal: Refusal) -> RemoteError {
        refusal.into_error(&self.call(path), self.client.has_credentials())
    }

    fn unreadable(&self, path: &str, unreadable: &Unreadable) -> RemoteError {
        let call = self.call(path);
        match unreadable {
            Unreadable::Shape(_) => error::unreadable(&call, unreadable).into(),
            // Flagr is well: a breaker must not open for it.
            Unreadable::Attachment { .. } => RemoteError::new(
                RemoteErrorKind::BadAnswer,
                format!("{call} answered with something unreadable"),
            )
            .with_words(unreadable.to_string()),
        }
    }

    /// Gives a call its time. A request that is on its way then is given up.
    async fn within_time<T>(
        &self,
        path: &str,
        work: impl Future<Output = Result<T, RemoteError>> + Send,
    ) -> Result<T, RemoteError> {
        match timeout(self.limits.total, work).await {
            Ok(done) => done,
            Err(_) => Err(error::too_slow(&self.call(path), self.limits.total).into()),
        }
    }

    async fn one(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        let RemoteCall { flag, context, debug, .. } = call;
        let headers = self.headers_of(context);
        let body = request::evaluation(flag, context, debug);
        let body = match self.post(EVALUATION, headers, body).await? {
            Reply::Json(body) => body,
            Reply::Refused(refusal) => return Err(self.refused(EVALUATION, refusal)),
        };
        let received = answer::read(&body).map_err(|it| self.unreadable(EVALUATION, &it))?;
        let (echo, asked) = (&received.echo, context.entity_id());
        let about_flag = echo.flag_id == flag.id && *echo.flag_key == *flag.key;
        if about_flag && (asked.is_empty() || *echo.entity_id == *asked) {
            return Ok(received.answer);
        }
        let other = "a result for another than was asked for";
        Err(error::unreadable(&self.call(EVALUATION), &other).into())
    }

    async fn all(
        &self,
        batch: Batch<'_>,
        selected: &[SelectedBy],
    ) -> Result<Vec<BatchAnswer>, RemoteError> {
        let headers = match batch.entities.split_first() {
            Some((first, rest)) if rest.iter().all(|it| it.headers() == first.headers()) => {
                self.headers_of(first)
            }
            _ => HeaderMap::new(),
        };
        let mut placed: Vec<Placed> = Vec::new();
        let mut open = vec![Piece { entities: 0..batch.entities.len(), flags: 0..selected.len() }];
        while let Some(piece) = open.pop() {
            let limit = self.max_batch.load(Ordering::Relaxed);
            if limit < piece.size() && 1 < piece.size() {
                open.extend(piece.split(limit).into_iter().rev());
                continue;
            }
            let entities = batch.entities.get(piece.entities.clone()).unwrap_or_default();
            let flags = selected.get(piece.flags.clone()).unwrap_or_default();
            let body = request::batch(&batch, entities, flags);
            match self.post(BATCH, headers.clone(), body).await? {
                Reply::Json(body) => {
                    let received =
                        answer::read_batch(&body).map_err(|it| self.unreadable(BATCH, &it))?;
                    let part = line_up(&batch, selected, &piece, received)
                        .map_err(|it| error::unreadable(&self.call(BATCH), &it))?;
                    placed.extend(part);
                }
                Reply::Refused(refusal) => match refusal.batch_limit() {
                    // A smaller limit than what was refused: so the pieces get smaller each time.
                    Some(limit) if 0 < limit && limit < piece.size() => {
                        tracing::debug!(limit, "flagr limits batches");
                        self.max_batch.fetch_min(limit, Ordering::Relaxed);
                        open.push(piece);
                    }
                    _ => return Err(self.refused(BATCH, refusal)),
                },
            }
        }
        placed.sort_by_key(|it| it.place); // stable: the flags of a tag stay as they came
        Ok(placed.into_iter().map(|it| it.answer).collect())
    }
}

#[async_trait]
impl RemoteEvaluator for FlagrEvaluator {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        self.within_time(EVALUATION, self.one(call)).await
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        let selected = selection(&batch);
        if batch.entities.is_empty() || selected.is_empty() {
            return Ok(Vec::new());
        }
        self.within_time(BATCH, self.all(batch, &selected)).await
    }

    fn most(&self) -> usize {
        self.max_batch.load(Ordering::Relaxed)
    }
}
