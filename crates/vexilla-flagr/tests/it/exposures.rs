//! Exposures handed to a Flagr, and to servers that go wrong: each is sent once, and an error says whether waiting helps.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use vexilla_domain::DeliveryErrorKind::{self, BadBatch, NotOffered, Refused, Unavailable};
use vexilla_domain::{Exposure, ExposureSink, Secret};
use vexilla_flagr::{Auth, FlagrConfig, FlagrExposures};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::flagr::source;
use crate::raw::{Then, nobody, serve_counted};

const PATH: &str = "/api/v1/exposures";

fn sink(url: &str, change: impl FnOnce(&mut FlagrConfig)) -> FlagrExposures {
    source(url, change).exposures()
}

fn rows(count: usize) -> Vec<Exposure> {
    let row = Exposure { flag_key: "f".into(), entity_id: "e".into(), ..Exposure::default() };
    vec![row; count]
}

#[tokio::test]
async fn a_batch_is_one_request_with_our_credentials() {
    let server = MockServer::start().await;
    let row = json!({"flagKey": "f", "entityID": "e"});
    Mock::given(method("POST"))
        .and(path(PATH))
        .and(header("authorization", "Bearer token"))
        .and(header("content-type", "application/json"))
        .and(body_json(json!({ "exposures": [row, row] })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "errors": [{"message": "first"}, {"index": 1, "message": "second"}, {"index": 2}],
        })))
        .expect(1)
        .mount(&server)
        .await;
    let sink = sink(&server.uri(), |it| it.auth = Auth::Bearer(Secret::new("token".to_owned())));
    let errors = sink.send(&rows(2)).await.unwrap();
    let errors: Vec<_> = errors.iter().map(|it| (it.index, &*it.message)).collect();
    assert_eq!(errors, [(0, "first"), (1, "second")]);
}

#[tokio::test]
async fn a_smaller_limit_is_learnt_from_the_refusal() {
    let server = MockServer::start().await;
    let refusal = |request: &wiremock::Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let size = body["exposures"].as_array().unwrap().len();
        if size <= 7 {
            return ResponseTemplate::new(200).set_body_json(json!({ "errors": null }));
        }
        let message = format!("exposure batch size {size} exceeds maximum allowed size of 7");
        ResponseTemplate::new(400).set_body_json(json!({ "message": message }))
    };
    Mock::given(method("POST")).respond_with(refusal).mount(&server).await;
    let sink = sink(&server.uri(), |_| {});
    assert_eq!(sink.most(), usize::MAX);
    assert_eq!(sink.send(&rows(100)).await.unwrap_err().kind(), BadBatch);
    assert_eq!(sink.clone().most(), 7, "clones know it too");
    assert!(sink.send(&rows(7)).await.unwrap().is_empty());
}

/// Checks the error, and that nothing was sent twice.
async fn check(bytes: impl Into<Vec<u8>>, then: Then, kind: DeliveryErrorKind, text: &str) {
    let (address, count) = serve_counted(bytes, then).await;
    let sink = sink(&address, |it| {
        it.retries = 3;
        it.max_evaluation_bytes = 1 << 20;
        if let Then::IsSilent | Then::Dawdles = then {
            it.evaluation_timeout = Duration::from_millis(60);
        }
    });
    let error = sink.send(&rows(1)).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with(&format!("POST {PATH}")) && told.contains(text), "{told}");
    assert_eq!(error.kind(), kind, "{told}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

const JSON: &str = "application/json";

#[tokio::test]
async fn servers_that_go_wrong() {
    check("", Then::Closes, Unavailable, "no answer").await;
    check("", Then::IsSilent, Unavailable, "60ms").await;
    check(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
        Then::Dawdles,
        Unavailable,
        "60ms",
    )
    .await;
    check(answer("200 OK", "text/html", "<html>"), Then::Closes, Unavailable, "`text/html`").await;
    check(answer("200 OK", JSON, "[]"), Then::Closes, Unavailable, "something else").await;
    let long = answer("200 OK", JSON, &" ".repeat(2 << 20));
    check(long, Then::Closes, Unavailable, "more than 1048576 bytes").await;
    check(answer("503 Service Unavailable", JSON, "{}"), Then::Closes, Unavailable, "503").await;
    check(
        answer("500 Internal", "text/plain", "PANIC: x\nstack"),
        Then::Closes,
        BadBatch,
        "`PANIC: x`",
    )
    .await;
    let old = r#"{"code":404,"message":"path /api/v1/exposures was not found"}"#;
    check(answer("404 Not Found", JSON, old), Then::Closes, NotOffered, "was not found").await;
    check(answer("405 Method Not Allowed", JSON, "{}"), Then::Closes, NotOffered, "before 1.2.0")
        .await;
    let only_evaluates = r#""operation postExposures has not yet been implemented""#;
    check(
        answer("501 Not Implemented", JSON, only_evaluates),
        Then::Closes,
        NotOffered,
        "only evaluates",
    )
    .await;
    check(answer("401 Unauthorized", "text/plain", "no"), Then::Closes, Refused, "credentials")
        .await;
    let error = sink(&nobody().await, |_| {}).send(&rows(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("cannot connect")), (Unavailable, true));
}
