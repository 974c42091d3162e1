//! What the engine is asked, and what is sent of its answer.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use tokio::task::spawn_blocking;
use vexilla_domain::{
    Batch, BatchAnswer, BatchTooLarge, Clock, Context, Debug, Engine, ExposureInbox, FlagRef,
    Freshness, Revision, Source,
};

use crate::error::{Answered, Refusal, whole};
use crate::export::{Exporter, Wanted};
use crate::exposures;
use crate::inject::{Additions, Injector};
use crate::ofrep::{self, Ofrep};
use crate::operation;
use crate::request::{BatchRequest, EvaluationRequest, Payload};
use crate::wire::{Asked, batch_body, evaluation_body};

/// Writing more than this takes long enough that other requests would wait for it.
const LARGE_ANSWER: usize = 256 << 10;

/// A request that was read, with its headers.
#[derive(Debug)]
pub(crate) enum Received<'r> {
    Evaluation(Payload, &'r HeaderMap),
    Batch(Payload, &'r HeaderMap),
    Exposures(Bytes),
    Export(Wanted),
    OfrepFlag(Box<str>, Bytes, &'r HeaderMap),
    OfrepFlags(Bytes, &'r HeaderMap),
}

/// Asks the engine.
#[derive(Debug)]
pub(crate) struct Answerer {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) exposures: Option<Arc<dyn ExposureInbox>>,
    pub(crate) ofrep: Ofrep,
    pub(crate) injector: Option<Injector>,
    pub(crate) forward_headers: bool,
    pub(crate) max_batch_size: usize,
    pub(crate) max_answer_bytes: usize,
    pub(crate) max_exposures: usize,
}

impl Answerer {
    pub(crate) async fn answer(&self, received: Received<'_>) -> Result<Answered, Refusal> {
        // Behind a pointer is what needs much room: a connection keeps as much as the largest of them takes.
        match received {
            Received::Evaluation(payload, headers) => self.evaluation(&payload, headers).await,
            Received::Batch(payload, headers) => Box::pin(self.batch(&payload, headers)).await,
            Received::Exposures(body) => match &self.exposures {
                Some(inbox) => {
                    Box::pin(exposures::answer(&**inbox, &body, self.max_exposures)).await
                }
                None => Err(Refusal::not_implemented(operation::EXPOSURES)),
            },
            Received::Export(wanted) => Box::pin(self.exporter.answer(wanted)).await,
            Received::OfrepFlag(key, body, headers) => {
                Ok(Box::pin(self.ofrep_flag(&key, &body, headers)).await)
            }
            Received::OfrepFlags(body, headers) => {
                Ok(Box::pin(self.ofrep_flags(&body, headers)).await)
            }
        }
    }

    async fn ofrep_flag(&self, key: &str, body: &[u8], headers: &HeaderMap) -> Answered {
        let key = percent_decode_str(key).decode_utf8_lossy();
        let context = ofrep::read_context(body).map(|it| self.additions(headers).add_to(it));
        let answered = match context {
            Ok(context) => self.ofrep.flag(&key, &context, self.clock.now()).await,
            Err(problem) => Err(problem),
        };
        answered.unwrap_or_else(|it| it.into_response(Some(&key)))
    }

    async fn ofrep_flags(&self, body: &[u8], headers: &HeaderMap) -> Answered {
        let context = ofrep::read_context(body).map(|it| self.additions(headers).add_to(it));
        let answered = match context {
            Ok(context) => self.ofrep.flags(context, headers, self.clock.now()).await,
            Err(problem) => Err(problem),
        };
        answered.unwrap_or_else(|it| it.into_response(None))
    }

    /// What the sidecar adds to each context of a request with these headers.
    fn additions(&self, headers: &HeaderMap) -> Additions {
        match &self.injector {
            Some(injector) => {
                Additions::Members(injector.time_and_headers(self.clock.now(), headers))
            }
            None if self.forward_headers => Additions::forwarded(headers),
            None => Additions::None,
        }
    }

    /// The same for a batch that is asked in the query: Flagr puts headers into contexts that are posted, and no others.
    fn additions_to_query(&self) -> Additions {
        match &self.injector {
            Some(_) => Additions::Members(Injector::time(self.clock.now())),
            None => Additions::None,
        }
    }

    async fn evaluation(
        &self,
        payload: &Payload,
        headers: &HeaderMap,
    ) -> Result<Answered, Refusal> {
        let mut request = EvaluationRequest::read(payload)?;
        request.context = self.additions(headers).add_to(std::mem::take(&mut request.context));
        let asked = Asked {
            flag: FlagRef { id: request.flag_id, key: &request.flag_key },
            flag_tags: &request.flag_tags,
            flag_tags_operator: request.flag_tags_operator,
            debug: debug(request.enable_debug),
        };
        let answer = self.engine.evaluate(asked.flag, &request.context, asked.debug).await;
        let now = self.clock.now();
        let mut response = json(evaluation_body(&asked, &request.context, &answer, now));
        let (source, freshness) = (answer.evaluation.source, answer.evaluation.freshness);
        self.exporter.tags.add_origin(response.headers_mut(), source, freshness, now);
        Ok(response)
    }

    async fn batch(&self, payload: &Payload, headers: &HeaderMap) -> Result<Answered, Refusal> {
        let mut request = BatchRequest::read(payload)?;
        let (size, most) = (request.size(), self.max_batch_size);
        if most < size {
            return Err(Refusal::batch_too_large(BatchTooLarge::Answers { size, most }));
        }
        let added = match payload {
            Payload::Body(_) => self.additions(headers),
            Payload::Query(_) => self.additions_to_query(),
        };
        let entities = std::mem::take(&mut request.entities).into_iter();
        let entities: Option<Vec<_>> = entities.map(|it| it.map(|it| added.add_to(it))).collect();
        let entities = match entities {
            Some(entities) => entities,
            None if size > 0 => return Err(Refusal::null_entity()),
            None => Vec::new(), // nothing is selected, so that Flagr does not touch the null either
        };
        let answers = self.engine.evaluate_batch(batch(&request, &entities), most).await;
        let answers = answers.map_err(Refusal::batch_too_large)?;
        let now = self.clock.now();
        let origin = origin_of(&answers);
        let document = self.batch_document(request, entities, answers, now).await?;
        let mut response = json(document);
        if let Some((source, freshness)) = origin {
            self.exporter.tags.add_origin(response.headers_mut(), source, freshness, now);
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
}

/// Does what takes long without holding up other requests.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    // It panics only where `work` does.
    spawn_blocking(work).await.unwrap_or_else(|_| Err(Refusal::panicked()))
}

/// Who decided, of several the one that is furthest from the usual: an outage that touches one flag is to be seen.
pub(crate) fn origin_of(answers: &[BatchAnswer]) -> Option<(Source, Freshness)> {
    let distance = |source: Source| match source {
        Source::Local => 0,
        Source::RemoteCached => 1,
        Source::Remote => 2,
        Source::Standby => 3,
        _ => 4,
    };
    let evaluations = answers.iter().map(|it| &it.answer.evaluation);
    let furthest = evaluations.max_by_key(|it| distance(it.source))?;
    Some((furthest.source, furthest.freshness))
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

/// Answers `GET /flags/snapshots/max_id`.
pub(crate) fn max_snapshot_id(engine: &dyn Engine) -> Result<Answered, Refusal> {
    if engine.freshness().revision == Revision::default() {
        return Err(Refusal::nothing_loaded());
    }
    Ok(json(match engine.max_snapshot_id() {
        0 => "{}\n".to_owned(),
        id => format!("{{\"maxID\":{id}}}\n"),
    }))
}

fn debug(enabled: bool) -> Debug {
    if enabled { Debug::On } else { Debug::Off }
}

pub(crate) fn json(body: impl Into<Bytes>) -> Answered {
    let mut response = whole(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
