//! What the engine is asked, and what is sent of its answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body_util::Full;
use tokio::task::spawn_blocking;
use vexilla_domain::{
    Batch, BatchAnswer, BatchTooLarge, Clock, Context, Debug, Engine, FlagRef, Freshness, Source,
};

use crate::error::{Answered, Refusal};
use crate::request::{BatchRequest, EvaluationRequest};
use crate::selection::Selection;
use crate::wire::{Asked, batch_body, evaluation_body};

const SOURCE: HeaderName = HeaderName::from_static("x-vexilla-source");
const REVISION: HeaderName = HeaderName::from_static("x-vexilla-revision");
const AGE: HeaderName = HeaderName::from_static("x-vexilla-age");

/// A document of flags with more bytes than this takes long enough to read that other requests would wait for it.
const LARGE_DOCUMENT: usize = 64 << 10;

/// The same for writing the answer to a batch.
const LARGE_ANSWER: usize = 256 << 10;

/// A request that was read.
#[derive(Debug)]
pub(crate) enum Received {
    /// `POST /evaluation`, with its body.
    Evaluation(Bytes),
    /// `POST /evaluation/batch`, with its body.
    Batch(Bytes),
    /// `GET /export/eval_cache/json`, with what its parameters select.
    Export(Selection),
}

/// Asks the engine.
#[derive(Debug)]
pub(crate) struct Answerer {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_batch_size: usize,
    pub(crate) max_answer_bytes: usize,
}

impl Answerer {
    pub(crate) async fn answer(&self, received: Received) -> Result<Answered, Refusal> {
        match received {
            Received::Evaluation(body) => self.evaluation(&body).await,
            Received::Batch(body) => self.batch(&body).await,
            Received::Export(selection) => self.export(selection).await,
        }
    }

    async fn evaluation(&self, body: &[u8]) -> Result<Answered, Refusal> {
        let request = EvaluationRequest::read(body)?;
        let asked = Asked {
            flag: FlagRef { id: request.flag_id, key: &request.flag_key },
            flag_tags: &request.flag_tags,
            flag_tags_operator: request.flag_tags_operator,
            debug: debug(request.enable_debug),
        };
        let answer = self.engine.evaluate(asked.flag, &request.context, asked.debug).await;
        let now = self.clock.now();
        let mut response = json(evaluation_body(&asked, &request.context, &answer, now));
        add_origin(
            response.headers_mut(),
            answer.evaluation.source,
            answer.evaluation.freshness,
            now,
        );
        Ok(response)
    }

    async fn batch(&self, body: &[u8]) -> Result<Answered, Refusal> {
        let mut request = BatchRequest::read(body)?;
        let (size, most) = (request.size(), self.max_batch_size);
        if most < size {
            return Err(Refusal::batch_too_large(BatchTooLarge::Answers { size, most }));
        }
        let entities: Option<Vec<_>> = std::mem::take(&mut request.entities).into_iter().collect();
        let entities = match entities {
            Some(entities) => entities,
            None if size > 0 => return Err(Refusal::null_entity()),
            None => Vec::new(), // nothing is selected, so that Flagr does not touch the null either
        };
        let answers = self.engine.evaluate_batch(batch(&request, &entities), most).await;
        let answers = answers.map_err(Refusal::batch_too_large)?;
        let now = self.clock.now();
        let origin = answers.first().map(|it| &it.answer.evaluation);
        let origin = origin.map(|it| (it.source, it.freshness));
        let document = self.batch_document(request, entities, answers, now).await?;
        let mut response = json(document);
        if let Some((source, freshness)) = origin {
            add_origin(response.headers_mut(), source, freshness, now);
        }
        Ok(response)
    }

    /// Writes a short answer here. One that turns out to be long is begun anew where nobody waits for it.
    async fn batch_document(
        &self,
        request: BatchRequest,
        entities: Vec<Context>,
        answers: Vec<BatchAnswer>,
        now: SystemTime,
    ) -> Result<Vec<u8>, Refusal> {
        let limit = self.max_answer_bytes;
        let write = move |most| {
            let batch = batch(&request, &entities);
            batch_body(&batch, request.flag_tags_operator, &answers, now, most)
        };
        if let Some(document) = write(limit.min(LARGE_ANSWER)) {
            return Ok(document);
        }
        off_thread(move || write(limit).ok_or_else(|| Refusal::answer_too_large(limit))).await
    }

    async fn export(&self, selection: Selection) -> Result<Answered, Refusal> {
        let export = self.engine.export().await.ok_or_else(Refusal::nothing_loaded)?;
        let document = if selection.is_everything() {
            Bytes::from_owner(export.json)
        } else {
            selected(selection, export.json).await?
        };
        let mut response = json(document);
        add_origin(response.headers_mut(), Source::Local, export.freshness, self.clock.now());
        Ok(response)
    }
}

/// The selected flags as a document of their own.
async fn selected(selection: Selection, document: Arc<[u8]>) -> Result<Bytes, Refusal> {
    let is_large = document.len() > LARGE_DOCUMENT;
    let narrow = move || selection.narrow(&document).map_err(|it| Refusal::unreadable_export(&it));
    let narrowed = if is_large { off_thread(narrow).await } else { narrow() };
    narrowed.map(Bytes::from)
}

/// Does what takes long without holding up other requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    // It panics only where `work` does.
    spawn_blocking(work).await.unwrap_or_else(|_| Err(Refusal::panicked()))
}

/// What the engine is asked; `entities` are those of the request, none of them `null`.
fn batch<'a>(request: &'a BatchRequest, entities: &'a [Context]) -> Batch<'a> {
    Batch {
        entities,
        flag_ids: &request.flag_ids,
        flag_keys: &request.flag_keys,
        flag_tags: &request.flag_tags,
        flag_tags_operator: request.flag_tags_operator.unwrap_or_default(),
        debug: debug(request.enable_debug),
    }
}

/// Answers `GET /health`.
pub(crate) fn health() -> Answered {
    json(&b"{\"status\":\"OK\"}\n"[..])
}

fn debug(enabled: bool) -> Debug {
    if enabled { Debug::On } else { Debug::Off }
}

fn json(body: impl Into<Bytes>) -> Answered {
    let mut response = Response::new(Full::new(body.into()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Says who decided, by which rules, and how many seconds ago the source confirmed them.
fn add_origin(headers: &mut HeaderMap, source: Source, freshness: Freshness, now: SystemTime) {
    headers.insert(SOURCE, HeaderValue::from_static(source.as_str()));
    if let Ok(revision) = HeaderValue::try_from(freshness.revision.to_string()) {
        headers.insert(REVISION, revision);
    }
    if freshness.refreshed_at_ms > 0 {
        let confirmed = SystemTime::UNIX_EPOCH + Duration::from_millis(freshness.refreshed_at_ms);
        let age = now.duration_since(confirmed).unwrap_or_default();
        headers.insert(AGE, HeaderValue::from(age.as_secs()));
    }
}
