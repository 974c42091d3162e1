//! Flagr as an [`ExposureSink`]: one `POST` for each batch, never sent twice by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;
use vexilla_domain::json::{write_string, write_value};
use vexilla_domain::{DeliveryError, DeliveryErrorKind, Exposure, ExposureSink, RowError, Value};

use crate::client::Client;
use crate::error;
use crate::exchange::{self, Limits};
use crate::refusal::{MAX_REFUSAL, Refusal};
use crate::request::Members;

const EXPOSURES: &str = "/api/v1/exposures";

/// Hands exposures to a live Flagr, over the connections of the [`FlagrSource`](crate::FlagrSource) that gave it. Clones
/// share them too.
///
/// A call has the time and the room for an answer of an evaluation
/// ([`evaluation_timeout`](crate::FlagrConfig::evaluation_timeout),
/// [`max_evaluation_bytes`](crate::FlagrConfig::max_evaluation_bytes)). It is one request: Flagr does not recognise
/// exposures that it has already, so whether they are sent again is for the caller to say. How many Flagr takes at once
/// (`FLAGR_EXPOSURE_BATCH_SIZE`) is learnt when it refuses more.
#[derive(Debug, Clone)]
pub struct FlagrExposures {
    client: Arc<Client>,
    limits: Limits,
    most: Arc<AtomicUsize>,
}

impl FlagrExposures {
    pub(crate) fn new(client: Arc<Client>, limits: Limits) -> Self {
        Self { client, limits, most: Arc::new(AtomicUsize::new(usize::MAX)) }
    }

    async fn post(
        &self,
        call: &str,
        exposures: &[Exposure],
    ) -> Result<Vec<RowError>, DeliveryError> {
        let request = self
            .client
            .request(Method::POST, EXPOSURES, &[])
            .header(CONTENT_TYPE, "application/json")
            .body(body(exposures));
        let response = exchange::send(call, request, self.limits).await?;
        match response.status() {
            StatusCode::OK => {
                let body = exchange::json(call, response, self.limits).await?;
                let errors = read(&body).map_err(|it| error::unreadable(call, &it))?;
                // A place that was not sent says nothing about those that were.
                Ok(errors.into_iter().filter(|it| it.index < exposures.len()).collect())
            }
            status => {
                let limits = Limits { max_bytes: MAX_REFUSAL, ..self.limits };
                let body = exchange::beginning(call, response, limits).await?;
                let refusal = Refusal { status, body };
                if let Some(most) = refusal.exposure_limit().filter(|it| 0 < *it) {
                    self.most.fetch_min(most, Ordering::Relaxed);
                }
                Err(refused(refusal, call, self.client.has_credentials()))
            }
        }
    }
}

#[async_trait]
impl ExposureSink for FlagrExposures {
    async fn send(&self, exposures: &[Exposure]) -> Result<Vec<RowError>, DeliveryError> {
        let call = self.client.call(&Method::POST, EXPOSURES);
        match timeout(self.limits.total, self.post(&call, exposures)).await {
            Ok(sent) => sent,
            Err(_) => Err(error::too_slow(&call, self.limits.total).into()),
        }
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

/// What a refusal means for those that were to be delivered.
fn refused(refusal: Refusal, call: &str, has_credentials: bool) -> DeliveryError {
    let kind = match refusal.status.as_u16() {
        500 if refusal.is_panic() => DeliveryErrorKind::BadBatch,
        400 | 413 | 422 => DeliveryErrorKind::BadBatch,
        404 | 405 | 501 => {
            let advice = "Flagr before 1.2.0 has no such path, nor has one that only evaluates";
            return refusal.into_error_with(DeliveryErrorKind::NotOffered, call, advice);
        }
        408 | 429 | 300..=399 | 500..=599 => DeliveryErrorKind::Unavailable,
        _ => DeliveryErrorKind::Refused,
    };
    refusal.into_error_of(kind, call, has_credentials)
}

/// The body of `POST /exposures`; members that would be zero are left out.
fn body(exposures: &[Exposure]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 * (exposures.len() + 1));
    out.extend_from_slice(b"{\"exposures\":[");
    for (at, exposure) in exposures.iter().enumerate() {
        if 0 < at {
            out.push(b',');
        }
        row(&mut out, exposure);
    }
    out.extend_from_slice(b"]}");
    out
}

fn row(out: &mut Vec<u8>, exposure: &Exposure) {
    let mut members = Members::new(out);
    for (name, id) in [
        ("flagID", exposure.flag_id.0),
        ("variantID", exposure.variant_id.0),
        ("flagSnapshotID", exposure.snapshot_id.0),
    ] {
        if id != 0 {
            members.name(name).extend_from_slice(id.to_string().as_bytes());
        }
    }
    for (name, text) in [
        ("flagKey", &exposure.flag_key),
        ("variantKey", &exposure.variant_key),
        ("entityType", &exposure.entity_type),
    ] {
        if !text.is_empty() {
            write_string(members.name(name), text);
        }
    }
    // Without this one Flagr refuses all the others too.
    write_string(members.name("entityID"), &exposure.entity_id);
    match &exposure.entity_context {
        None | Some(Value::Null) => {}
        Some(context) => write_value(members.name("entityContext"), context),
    }
    if let Some(at) = exposure.at.and_then(time) {
        write_string(members.name("timestamp"), &at);
    }
    members.end();
}

/// A time as Flagr reads it. `None` for one that no calendar has.
fn time(at: SystemTime) -> Option<String> {
    Some(Timestamp::try_from(at).ok()?.to_string())
}

/// The refused rows of an answer. The place is left out for the first row.
fn read(body: &[u8]) -> Result<Vec<RowError>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Answer {
        errors: Option<Vec<Row>>,
    }

    #[derive(Deserialize)]
    struct Row {
        #[serde(default)]
        index: usize,
        #[serde(default)]
        message: Box<str>,
    }

    let answer: Answer = serde_json::from_slice(body)?;
    let row = |it: Row| RowError { index: it.index, message: it.message };
    Ok(answer.errors.unwrap_or_default().into_iter().map(row).collect())
}

#[cfg(test)]
mod tests;
