//! The bare minimum of a sidecar, to measure the real one against: an axum handler that parses the same request and
//! writes the same bytes, whatever they say.
//!
//! `vexilla-bare FILE` answers every evaluation with what the file holds, and prints where it listens.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;

const TAG: &str = "\"1-0123456789abcdef\"";

/// What the sidecar says of every answer, as bytes on the wire are to be the same.
const SAID: [(HeaderName, &str); 4] = [
    (HeaderName::from_static("x-vexilla-source"), "local"),
    (HeaderName::from_static("x-vexilla-revision"), "0.1"),
    (HeaderName::from_static("x-vexilla-age"), "1"),
    (VARY, "Origin"),
];

/// What Flagr's clients send.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Question {
    #[serde(rename = "entityID")]
    entity_id: String,
    entity_type: String,
    entity_context: Value,
    enable_debug: bool,
    #[serde(rename = "flagID")]
    flag_id: i64,
    flag_key: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: vexilla-bare FILE")?;
    let answer = Bytes::from(std::fs::read(file)?);
    let router = Router::new()
        .route("/api/v1/evaluation", post(evaluation))
        .route("/api/v1/export/eval_cache/json", get(export))
        .with_state(answer);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    // A socket that does not take the option is slower and works.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn evaluation(State(answer): State<Bytes>, body: Bytes) -> Response {
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if question.flag_key.is_empty() && question.flag_id == 0 || question.entity_context.is_null() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    // Kept from being left out as unused.
    std::hint::black_box((question.entity_id, question.entity_type, question.enable_debug));
    (SAID, [(CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn export(State(answer): State<Bytes>, headers: HeaderMap) -> Response {
    if headers.get(IF_NONE_MATCH).is_some_and(|it| it == TAG) {
        return (StatusCode::NOT_MODIFIED, SAID, [(ETAG, TAG)]).into_response();
    }
    (SAID, [(ETAG, TAG)], answer).into_response()
}
