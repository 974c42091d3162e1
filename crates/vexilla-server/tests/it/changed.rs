//! Limits and secrets that change while a server serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use vexilla_domain::Secret;
use vexilla_server::{
    Admin, AdminConfig, CredentialError, SidecarConfig, Webhook, WebhookConfig, WebhookHeader,
};

use crate::fake::Rig;
use crate::loopback::{Served, read_all, read_until};
use crate::operator::{FakeOperator, ask, clock};

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
const OK: &str = "{\"status\":\"ok\"}";

fn admin(token: &str) -> AdminConfig {
    let mut config = AdminConfig::default();
    config.token = Some(Secret::new(token));
    config
}

fn webhook(token: &str) -> WebhookConfig {
    let mut config = WebhookConfig::default();
    config.header = Some(WebhookHeader::bearer(token));
    config
}

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn a_token_is_replaced_and_a_limit_lowered() {
    let api = Admin::new(Arc::new(FakeOperator::default()), clock(), admin("old"));
    let settings = api.settings();
    let status = async |token: &str, body: String| {
        let [(name, value)] = bearer(token);
        let headers = [(name, &*value), ("content-type", "application/json")];
        ask(api.service(), "POST /admin/invalidate", &headers, body).await.status
    };
    let body = || r#"{"flag_key":"checkout"}"#.to_owned();
    assert_eq!((status("old", body()).await, status("new", body()).await), (200, 401));

    let prepared = settings.change(admin("new")).unwrap();
    assert_eq!(status("old", body()).await, 200, "it is not in force yet");
    prepared.apply();
    assert_eq!((status("old", body()).await, status("new", body()).await), (401, 200));

    let mut small = admin("new");
    small.max_body_bytes = 10;
    settings.change(small).unwrap().apply();
    assert_eq!(status("new", body()).await, 413);
    assert_eq!(settings.change(admin("")).unwrap_err(), CredentialError::Empty);
}

#[tokio::test]
async fn a_webhook_s_secret_is_replaced() {
    let operator = Arc::new(FakeOperator::default());
    let api = Webhook::new(operator.clone(), clock(), webhook("old")).unwrap();
    let settings = api.settings();
    let status = async |token: &str| {
        let [(name, value)] = bearer(token);
        let body = r#"{"operation":"update","flag_id":1,"flag_key":"k"}"#.to_owned();
        ask(api.service(), "POST /webhook", &[(name, &*value)], body).await.status
    };
    assert_eq!((status("old").await, status("new").await), (200, 401));
    settings.change(webhook("new")).unwrap().apply();
    assert_eq!((status("old").await, status("new").await), (401, 200));
    let mut broken = webhook("newer");
    broken.header = Some(WebhookHeader { name: "x y".to_owned(), value: "v".into() });
    settings.change(broken).unwrap_err();
    assert_eq!(status("new").await, 200);
}

#[tokio::test]
async fn what_others_reach_does_not_lose_its_secret() {
    for (address, expected) in
        [("127.0.0.1:0", Ok(())), ("0.0.0.0:0", Err(CredentialError::Missing))]
    {
        let address = address.parse().unwrap();
        let api = Admin::new(Arc::new(FakeOperator::default()), clock(), admin("t"));
        let settings = api.settings();
        let _bound = api.bind(&address).await.unwrap();
        assert_eq!(settings.change(AdminConfig::default()).map(drop), expected);

        let operator = Arc::new(FakeOperator::default());
        let api = Webhook::new(operator, clock(), webhook("t")).unwrap();
        let settings = api.settings();
        let _bound = api.bind(&address).await.unwrap();
        assert_eq!(settings.change(WebhookConfig::default()).map(drop), expected);
    }
}

#[tokio::test]
async fn without_its_token_pages_do_not_reach_it() {
    let api = Admin::new(Arc::new(FakeOperator::default()), clock(), admin("t"));
    let settings = api.settings();
    let bound = api.bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    settings.change(AdminConfig::default()).unwrap().apply();
    let stats = |host: &str| format!("GET /admin/stats HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let answer = served.exchange(stats("rebound.example")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let answer = served.exchange(stats("localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn connections_are_taken_by_the_limits_of_the_moment() {
    let api = Admin::new(Arc::new(FakeOperator::default()), clock(), admin("t"));
    let settings = api.settings();
    let bound = api.bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    let mut silent = [served.connect().await, served.connect().await, served.connect().await];
    for stream in &mut silent {
        stream.write_all(HEALTH.as_bytes()).await.unwrap();
        read_until(stream, OK).await;
    }

    let mut config = admin("t");
    config.listener.max_connections = 2;
    config.listener.max_header_bytes = 8_192;
    settings.change(config).unwrap().apply();
    let mut caller = served.connect().await;
    caller.write_all(HEALTH.as_bytes()).await.unwrap();
    read_until(&mut caller, OK).await;
    let [first, second, third] = &mut silent;
    assert_eq!((read_all(first).await, read_all(second).await), (String::new(), String::new()));
    third.write_all(HEALTH.as_bytes()).await.unwrap();
    read_until(third, OK).await;

    let long = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(10_000));
    let answer = served.exchange(long).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn the_sidecar_s_connections_are_too() {
    let sidecar = Rig::new(|_| {}).sidecar;
    let bound = sidecar.clone().listen(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    let head = "GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx: ";
    let long = format!("{head}{}\r\n\r\n", "a".repeat(10_000));
    let answer = served.exchange(&long).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut config = SidecarConfig::default();
    config.listener.max_header_bytes = 8_192;
    sidecar.reconfigure(config);
    let answer = served.exchange(&long).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}
