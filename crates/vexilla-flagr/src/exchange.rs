//! One request and its answer, whole or not at all, within limits.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response};
use tokio::time::timeout;

use crate::error::{self, Failure};

/// How much of an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The longest time without a byte.
    pub(crate) idle: Duration,
    /// The longest time in all, whatever is sent again meanwhile.
    pub(crate) total: Duration,
    /// The largest body, after decompression.
    pub(crate) max_bytes: usize,
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn send(
    call: &str,
    request: RequestBuilder,
    limits: Limits,
) -> Result<Response, Failure> {
    match timeout(limits.idle, request.send()).await {
        Ok(sent) => sent.map_err(|it| error::no_answer(call, it)),
        Err(_) => Err(error::stalled(call, limits.idle)),
    }
}

/// The body of an answer that must be JSON.
pub(crate) async fn json(
    call: &str,
    mut response: Response,
    limits: Limits,
) -> Result<Vec<u8>, Failure> {
    let content_type = content_type(&response);
    if !is_json(content_type) {
        return Err(error::not_json(call, content_type));
    }
    let mut body = Vec::new();
    while let Some(chunk) = chunk(call, &mut response, body.len(), limits).await? {
        // Counted piece by piece: a small compressed body may unpack to gigabytes.
        if limits.max_bytes - body.len() < chunk.len() {
            return Err(error::too_large(call, limits.max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The beginning of a body: for messages.
pub(crate) async fn beginning(
    call: &str,
    mut response: Response,
    limits: Limits,
) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while body.len() < limits.max_bytes
        && let Some(chunk) = chunk(call, &mut response, body.len(), limits).await?
    {
        body.extend(chunk.iter().take(limits.max_bytes - body.len()));
    }
    Ok(body)
}

/// What the server calls its answer; empty when it does not.
pub(crate) fn content_type(response: &Response) -> &str {
    response.headers().get(CONTENT_TYPE).map_or("", text)
}

async fn chunk(
    call: &str,
    response: &mut Response,
    received: usize,
    limits: Limits,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, Failure> {
    match timeout(limits.idle, response.chunk()).await {
        Ok(read) => read.map_err(|it| error::broken_off(call, received, it)),
        Err(_) => Err(error::stalled(call, limits.idle)),
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("unreadable text")
}

/// `application/json`, whatever parameters follow.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}
