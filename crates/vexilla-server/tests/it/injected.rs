//! What the sidecar adds to contexts, in process.

use http::Request;
use http_body_util::Full;
use vexilla_server::{Injection, SidecarConfig};

use crate::fake::{Rig, escaped};

const SINGLE: &str =
    r#"{"entityID":"u","flagKey":"k","entityContext":{"@ts":5,"@http_x_a":"mine"}}"#;
const TWO: &str =
    r#"{"entities":[{"entityID":"a","entityContext":[1]},{"entityID":"b"}],"flagKeys":["k"]}"#;

fn injecting(config: &mut SidecarConfig) {
    config.injection = Some(Injection { headers: vec!["X-A".into()], ..Injection::default() });
}

/// The answer's body to a request with the header `X-A: 1`, and what the engine was asked.
async fn send(rig: &Rig, method: &str, path: &str, body: &str) -> (String, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json").header("x-a", "1");
    let request = request.header("authorization", "secret");
    let request = request.body(Full::new(body.to_owned().into())).unwrap();
    let answered = rig.send(request).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let asked = rig.engine.asked.lock().unwrap().pop().unwrap();
    (answered.body, asked)
}

/// The time that the fake clock stands at: 2027-01-15 08:00 UTC, a Friday.
const TIME: &str = r#""@ts":1800000000,"@ts_hour":8,"@ts_month":1,"@ts_weekday":5"#;

#[tokio::test]
async fn an_evaluation_gets_time_and_headers() {
    let rig = Rig::new(injecting);
    let expected = format!(r#""entityContext":{{"@http_x_a":"1",{TIME}}}"#);
    let (body, _) = send(&rig, "POST", "/api/v1/evaluation", SINGLE).await;
    assert!(body.contains(&expected), "{body}");
    let path = format!("/api/v1/evaluation?json={}", escaped(SINGLE));
    let (body, _) = send(&rig, "GET", &path, "").await;
    assert!(body.contains(&expected), "{body}");
    let (body, _) = send(&rig, "POST", "/api/v1/evaluation", "{}").await;
    assert!(body.contains(&expected), "{body}");
}

#[tokio::test]
async fn each_entity_of_a_batch_gets_them_but_by_get_only_the_time() {
    let rig = Rig::new(injecting);
    let (body, _) = send(&rig, "POST", "/api/v1/evaluation/batch", TWO).await;
    let expected = format!(r#""entityContext":{{"@http_x_a":"1",{TIME}}}"#);
    assert_eq!(body.matches(&expected).count(), 2, "{body}");
    let path = format!("/api/v1/evaluation/batch?json={}", escaped(TWO));
    let (body, _) = send(&rig, "GET", &path, "").await;
    let expected = format!(r#""entityContext":{{{TIME}}}"#);
    assert_eq!(body.matches(&expected).count(), 2, "{body}");
}

#[tokio::test]
async fn openfeatures_callers_get_them_too() {
    let rig = Rig::new(injecting);
    rig.publish(1, "");
    rig.post("/ofrep/v1/evaluate/flags/k", r#"{"context":{"a":1}}"#).await;
    let asked = rig.engine.asked.lock().unwrap().pop().unwrap();
    assert!(asked.contains("@ts_hour") && asked.contains("\"a\""), "{asked}");
}

#[tokio::test]
async fn without_it_nothing_is_added() {
    let rig = Rig::new(|_| {});
    let (body, asked) = send(&rig, "POST", "/api/v1/evaluation", SINGLE).await;
    assert!(body.contains(r#""entityContext":{"@http_x_a":"mine","@ts":5}"#), "{body}");
    assert!(asked.contains("headers: None"), "{asked}");
}

#[tokio::test]
async fn headers_go_with_each_context() {
    let rig = Rig::new(|config| config.forward_headers = true);
    let (body, asked) = send(&rig, "POST", "/api/v1/evaluation", SINGLE).await;
    assert!(body.contains(r#""entityContext":{"@http_x_a":"mine","@ts":5}"#), "not echoed: {body}");
    assert!(asked.contains(r#"headers: Some([("x-a", "1")])"#), "{asked}");
    let (_, asked) = send(&rig, "POST", "/api/v1/evaluation/batch", TWO).await;
    assert_eq!(asked.matches(r#"headers: Some([("x-a", "1")])"#).count(), 2, "{asked}");
    rig.publish(1, "");
    let request = Request::post("/ofrep/v1/evaluate/flags/k").header("x-a", "1");
    rig.send(request.body(Full::new("{}".into())).unwrap()).await;
    let asked = rig.engine.asked.lock().unwrap().pop().unwrap();
    assert!(asked.contains(r#"headers: Some([("x-a", "1")])"#), "{asked}");
}

#[tokio::test]
async fn headers_go_with_openfeatures_bulk_too() {
    let listed = std::sync::Arc::new(crate::fake::FakeOperator::with_flags(&["k"]));
    let rig = Rig::with(|config| config.forward_headers = true, |it| it.with_operator(listed));
    rig.publish(1, "");
    let request = Request::post("/ofrep/v1/evaluate/flags").header("x-a", "1");
    let answered = rig.send(request.body(Full::new("{}".into())).unwrap()).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let asked = rig.engine.asked.lock().unwrap().pop().unwrap();
    assert!(asked.contains(r#"headers: Some([("x-a", "1")])"#), "{asked}");
}
