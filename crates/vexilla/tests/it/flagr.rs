//! Flags from a Flagr.

use std::time::Duration;

use serde_json::json;
use vexilla::{Client, Context, FlagrConfig, Reason, Refreshed};
use vexilla_domain::Operator;
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

/// A client whose Flagr lags by milliseconds.
async fn client(server: &MockServer) -> Client {
    let mut config = FlagrConfig::new(server.uri());
    config.export_lag = Duration::from_millis(150);
    Client::builder().flagr_with(config).start().await.unwrap()
}

fn reason(client: &Client, key: &str) -> Reason {
    client.local().evaluate(key, &Context::new("u")).reason
}

#[tokio::test]
async fn the_last_flag_is_deleted_in_the_same_history() {
    let server = MockServer::start().await;
    serve(&server, 5, &[flag(1, "a", "")]).await;
    let client = client(&server).await;
    serve(&server, 6, &[]).await;
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::NotFound);
    assert_eq!((client.stats().revision.epoch, client.stats().max_snapshot_id), (0, 6));
    serve(&server, 7, &[flag(2, "b", "")]).await;
    client.refresh().await.unwrap();
    assert_eq!((reason(&client, "b"), client.stats().revision.epoch), (Reason::Static, 0));
}

#[tokio::test]
async fn a_restored_backup_is_followed_and_a_number_that_lies_once_is_not() {
    let server = MockServer::start().await;
    serve(&server, 9, &[flag(1, "a", ""), flag(2, "b", "")]).await;
    let client = client(&server).await;
    client.refresh().await.unwrap();
    // A number that lies while the flags are the same: nothing changes.
    serve(&server, 9, &[flag(1, "a", ""), flag(2, "b", "")]).await;
    Operator::reread_all(&client).await.unwrap();
    assert_eq!(client.stats().revision.epoch, 0);

    serve(&server, 3, &[flag(1, "a", "")]).await;
    client.refresh().await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::NotFound));
    assert_eq!((client.stats().revision.epoch, client.stats().max_snapshot_id), (1, 3));
}

#[tokio::test]
async fn a_thousand_flags_are_two_requests_and_an_unchanged_refresh_is_a_small_one() {
    let server = MockServer::start().await;
    let flags: Vec<_> = (1..=1000).map(|id| flag(id, &format!("flag-{id}"), "")).collect();
    serve(&server, 5, &flags).await;
    let client = client(&server).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
    assert_eq!(client.stats().flags, 1000);
    let revision = client.stats().revision;
    assert_eq!(client.refresh().await.unwrap(), Refreshed::Unchanged);
    let requests = server.received_requests().await.unwrap();
    let [.., last] = &requests[..] else { panic!("no request") };
    let head: usize =
        last.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    assert!(head + last.url.as_str().len() + last.body.len() < 1024);
    assert_eq!(
        (requests.len(), client.stats().revision),
        (3, revision),
        "nothing is compiled anew"
    );
}
