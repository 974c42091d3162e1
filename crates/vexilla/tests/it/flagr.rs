//! Flags from a Flagr.

use serde_json::json;
use vexilla::{Client, Context, Refreshed};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::scripted::flag;

async fn serve(server: &MockServer, max_id: u64, flags: &[String]) {
    server.reset().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/flags/snapshots/max_id"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "maxID": max_id })))
        .mount(server)
        .await;
    let snapshot = format!(r#""SnapshotID":{max_id},"Key""#);
    let export = format!("{{\"Flags\":[{}]}}", flags.join(",").replacen("\"Key\"", &snapshot, 1));
    Mock::given(method("GET"))
        .and(path("/api/v1/export/eval_cache/json"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(export, "application/json"))
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_live_flagr_is_followed_with_one_request_while_nothing_changes() {
    let server = MockServer::start().await;
    serve(&server, 5, &[flag(1, "a", "")]).await;
    let client = Client::builder().flagr(server.uri()).start().await.unwrap();
    let on = |key: &str| client.local().bool(key, &Context::new("u"), false);
    assert!(on("a"));
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "a first load");

    serve(&server, 5, &[flag(1, "a", "")]).await;
    assert_eq!(client.refresh().await.unwrap(), Refreshed::Unchanged);
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "an unchanged refresh");

    serve(&server, 6, &[flag(2, "b", "")]).await;
    assert!(matches!(client.refresh().await.unwrap(), Refreshed::Published(_)));
    assert!(!on("a") && on("b"));

    server.reset().await;
    let failure = Mock::given(method("GET")).respond_with(ResponseTemplate::new(503));
    failure.mount(&server).await;
    client.refresh().await.unwrap_err();
    assert!(on("b"), "an outage changes nothing");
    assert!(client.local().evaluate("b", &Context::new("u")).freshness.stale);
}
