//! Limits and what lies outside Flagr's answers, in process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::{Full, StreamBody};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Context, Debug, Engine, Export, FlagRef, Freshness,
    Revision,
};
use vexilla_server::{Sidecar, SidecarConfig};

use crate::fake::{FakeClock, FakeEngine, Rig};
use crate::loopback::{Served, read_all};

const EVALUATION: &str = "/api/v1/evaluation";
const BATCH: &str = "/api/v1/evaluation/batch";
const EXPORT: &str = "/api/v1/export/eval_cache/json";

/// Each request's state is made, moved into place and freed again: what is large and rare stands behind a pointer.
#[test]
fn the_state_of_a_request_is_small() {
    let rig = Rig::new(|_| {});
    let request = Request::post(EVALUATION).body(Full::<Bytes>::default()).unwrap();
    let state = size_of_val(&rig.sidecar.service().call(request));
    println!("{state} bytes");
    assert!(state < 4_000, "{state} bytes");
}

#[tokio::test]
async fn the_engine_is_asked_what_was_sent() {
    let rig = Rig::new(|_| {});
    rig.post(EVALUATION, r#"{"flagID":3,"flagKey":"k","entityID":"u","enableDebug":true}"#).await;
    let body = r#"{"entities":[{"entityID":"u"}],"flagIDs":[2,2],"flagKeys":["k"],"flagTags":["t"],"flagTagsOperator":"ALL"}"#;
    rig.post(BATCH, body).await;
    let asked = rig.engine.asked.lock().unwrap();
    assert!(
        asked[0].starts_with(r#"FlagRef { id: 3, key: "k" } Context { entity_id: "u","#),
        "{}",
        asked[0]
    );
    assert!(asked[0].ends_with("On"), "{}", asked[0]);
    let rest = r#"flag_ids: [2, 2], flag_keys: ["k"], flag_tags: ["t"], flag_tags_operator: All, debug: Off }"#;
    assert!(asked[1].ends_with(rest), "{}", asked[1]);
}

#[tokio::test]
async fn origin_and_age_go_into_headers() {
    let rig = Rig::new(|_| {});
    let recorded = r#"{"evalContext":{},"evalDebugLog":{"segmentDebugLogs":null},"recordSource":"evaluation","timestamp":"2027-01-15T08:00:00Z"}"#;
    rig.script(recorded);
    let answered = rig.post(EVALUATION, "{}").await;
    let header = |name: &str| answered.headers.get(name).cloned().unwrap_or_default();
    assert_eq!(
        (header("x-vexilla-source"), header("x-vexilla-revision")),
        ("local".to_owned(), "1.7".to_owned())
    );
    assert_eq!(header("x-vexilla-age"), "9");
    assert_eq!(header("vary"), "Origin");
}

#[tokio::test]
async fn the_export_is_never_json_while_nothing_is_loaded() {
    let rig = Rig::new(|_| {});
    let answered = rig.get(EXPORT).await;
    assert_eq!((answered.status, &*answered.content_type), (503, "text/plain; charset=utf-8"));
    assert!(serde_json::from_str::<serde_json::Value>(&answered.body).is_err());

    let freshness =
        Freshness { revision: Revision { epoch: 2, sequence: 3 }, ..Freshness::default() };
    *rig.engine.export.lock().unwrap() =
        Some(Export { json: b"{\"Flags\":[]}\n"[..].into(), freshness });
    let answered = rig.get(EXPORT).await;
    assert_eq!((answered.status, &*answered.body), (200, "{\"Flags\":[]}\n"));
    assert_eq!(answered.headers["x-vexilla-revision"], "2.3");
    assert!(!answered.headers.contains_key("x-vexilla-age"), "unknown");
}

#[tokio::test]
async fn batches_are_counted_as_flagr_counts_them() {
    let rig = Rig::new(|config| config.max_batch_size = 3);
    let two = r#""entities":[{"entityID":"a"},{"entityID":"b"}]"#;
    for (body, size) in [
        (format!(r#"{{{two},"flagIDs":[1,2]}}"#), Some(4)),
        (format!(r#"{{{two},"flagIDs":[1,1]}}"#), None),
        (format!(r#"{{{two},"flagKeys":["a","a"],"flagTags":["x","y"]}}"#), Some(4)),
        (format!("{{{two}}}"), None),
        (r#"{"entities":[null,null,null,null],"flagIDs":[1]}"#.to_owned(), Some(4)),
    ] {
        let answered = rig.post(BATCH, body.clone()).await;
        match size {
            None => assert_eq!(answered.status, 200, "{body}"),
            Some(size) => {
                let text =
                    format!("batch evaluation size {size} exceeds maximum allowed size of 3");
                let expected = format!("{{\"message\":\"{text}\"}}\n");
                assert_eq!((answered.status, answered.body), (400, expected), "{body}");
            }
        }
    }
}

/// Two entities, for which the engine finds three flags by the tag.
async fn send_tagged(rig: &Rig) -> crate::fake::Answered {
    let answers = (0..6).map(|_| FakeEngine::default().next_answer());
    *rig.engine.answers.lock().unwrap() = answers.collect();
    rig.post(BATCH, r#"{"entities":[{"entityID":"a"},{"entityID":"b"}],"flagTags":["t"]}"#).await
}

#[tokio::test]
async fn a_tag_that_selects_too_many_flags_is_refused_like_a_batch_that_names_them() {
    for (most, expected) in [
        (1, Some("batch evaluation size 2 exceeds maximum allowed size of 1")),
        (5, Some("batch evaluation size 6 exceeds maximum allowed size of 5")),
        (6, None),
        (0, None),
    ] {
        let answered = send_tagged(&Rig::new(|config| config.max_batch_size = most)).await;
        match expected {
            None => assert_eq!(answered.status, 200, "{most}"),
            Some(message) => {
                let expected = (400, format!("{{\"message\":\"{message}\"}}\n"));
                assert_eq!((answered.status, answered.body), expected);
                assert_eq!(answered.content_type, "application/json");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused() {
    let whole = send_tagged(&Rig::new(|_| {})).await;
    assert_eq!((whole.status, whole.body.matches("recordSource").count()), (200, 6));
    for limit in [0, 1, 400, whole.body.len() - 1] {
        let answered = send_tagged(&Rig::new(|config| config.max_answer_bytes = limit)).await;
        let expected = format!(
            "{{\"message\":\"batch evaluation answer exceeds maximum allowed size of {limit} bytes: ask for fewer entities or flags\"}}\n"
        );
        assert_eq!((answered.status, answered.body), (400, expected));
    }
    let answered =
        send_tagged(&Rig::new(|config| config.max_answer_bytes = whole.body.len())).await;
    assert_eq!(answered, whole);
}

#[tokio::test]
async fn a_long_answer_is_whole_or_refused() {
    let entities = vec![r#"{"entityID":"somebody"}"#; 4_000].join(",");
    let body = format!(r#"{{"entities":[{entities}],"flagIDs":[1]}}"#);
    let rig = Rig::new(|_| {});
    let whole = rig.post(BATCH, body.clone()).await;
    assert_eq!((whole.status, whole.body.matches("recordSource").count()), (200, 4_000));
    assert!(whole.body.len() > 512 << 10 && whole.body.ends_with("}]}\n"), "{}", whole.body.len());
    for (limit, status) in [(whole.body.len() - 1, 400), (whole.body.len(), 200)] {
        let rig = Rig::new(|config| config.max_answer_bytes = limit);
        assert_eq!(rig.post(BATCH, body.clone()).await.status, status);
    }
}

#[tokio::test]
async fn a_null_entity_is_flagrs_panic_only_when_something_is_selected() {
    let rig = Rig::new(|_| {});
    let answered = rig.post(BATCH, r#"{"entities":[null]}"#).await;
    assert_eq!((answered.status, &*answered.body), (200, "{\"evaluationResults\":[]}\n"));
    let answered = rig.post(BATCH, r#"{"entities":[null],"flagTags":["nope"]}"#).await;
    assert_eq!((answered.status, &*answered.content_type), (500, "text/plain; charset=utf-8"));
    assert!(answered.body.starts_with("PANIC: "));
}

#[tokio::test]
async fn bodies_are_limited() {
    let rig = Rig::new(|config| config.max_body_bytes = 20);
    assert_eq!(rig.post(EVALUATION, r#"{"flagKey":"123456"}"#).await.status, 200);
    let answered = rig.post(EVALUATION, r#"{"flagKey":"1234567"}"#).await;
    let body = r#"{"code":413,"message":"request body exceeds maximum allowed size of 20 bytes"}"#;
    assert_eq!((answered.status, &*answered.body), (413, body));
    assert_eq!(answered.headers["connection"], "close");
}

#[tokio::test]
async fn limits_may_change_while_the_sidecar_serves() {
    let rig = Rig::new(|config| config.web_prefix = "/flags".to_owned());
    let path = format!("/flags{EVALUATION}");
    let serving = rig.sidecar.clone();
    let status = async || send(&serving, "POST", &path, r#"{"flagKey":"1234567"}"#).await.0;
    assert_eq!(status().await, 200);
    let mut config = SidecarConfig::default();
    config.max_body_bytes = 20;
    rig.sidecar.reconfigure(config);
    assert_eq!(status().await, 413);
    let mut config = SidecarConfig::default();
    config.max_concurrent_requests = 0;
    rig.sidecar.reconfigure(config);
    assert_eq!(status().await, 503);
    rig.sidecar.reconfigure(SidecarConfig::default());
    assert_eq!(status().await, 200, "and the prefix is the one that it began with");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let rig = Rig::new(|_| {});
    let never =
        futures_util::stream::pending::<Result<hyper::body::Frame<Bytes>, std::io::Error>>();
    let request = Request::post(EVALUATION).body(StreamBody::new(never)).unwrap();
    let response = rig.sidecar.service().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 408);
}

/// Answers when it is let; panics on demand.
#[derive(Debug)]
struct Held {
    started: Semaphore,
    go_on: Semaphore,
}

#[async_trait]
impl Engine for Held {
    async fn evaluate(&self, flag: FlagRef<'_>, _: &Context, _: Debug) -> Answer {
        self.started.add_permits(1);
        assert!(flag.key != "panic", "on demand");
        if flag.key == "here" {
            return FakeEngine::default().next_answer();
        }
        self.go_on.acquire().await.unwrap().forget();
        FakeEngine::default().evaluate(flag, &Context::default(), Debug::Off).await
    }

    async fn evaluate_batch(
        &self,
        _: Batch<'_>,
        _: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge> {
        Ok(Vec::new())
    }

    async fn export(&self) -> Option<Export> {
        None
    }

    fn freshness(&self) -> Freshness {
        Freshness::default()
    }

    fn max_snapshot_id(&self) -> u64 {
        0
    }
}

fn held(change: impl FnOnce(&mut SidecarConfig)) -> (Arc<Held>, Sidecar) {
    let mut config = SidecarConfig::default();
    change(&mut config);
    let engine = Arc::new(Held { started: Semaphore::new(0), go_on: Semaphore::new(0) });
    let clock = Arc::new(FakeClock(std::time::SystemTime::UNIX_EPOCH.into()));
    let sidecar = Sidecar::new(Arc::clone(&engine) as _, clock, config);
    (engine, sidecar)
}

async fn send(sidecar: &Sidecar, method: &str, path: &str, body: &'static str) -> (u16, String) {
    let request =
        Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let response = sidecar.service().oneshot(request).await.unwrap();
    let retry = response.headers().get("retry-after").map_or("", |it| it.to_str().unwrap());
    (response.status().as_u16(), retry.to_owned())
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let (engine, sidecar) = held(|config| config.max_concurrent_requests = 1);
    let first = tokio::spawn({
        let sidecar = sidecar.clone();
        async move { send(&sidecar, "POST", EVALUATION, "{}").await }
    });
    engine.started.acquire().await.unwrap().forget();
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await, (503, "1".to_owned()));
    assert_eq!(send(&sidecar, "GET", "/api/v1/health", "").await.0, 200, "the process lives");
    engine.go_on.add_permits(2);
    assert_eq!(first.await.unwrap().0, 200);
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await.0, 200);
}

/// Who still waits and has closed his sending half is taken to be gone, too.
#[tokio::test]
async fn who_goes_away_gives_up_the_place() {
    let (engine, sidecar) = held(|config| config.max_concurrent_requests = 1);
    let bound = sidecar.clone().listen(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    for goes_whole in [true, false] {
        let mut stream = served.connect().await;
        let request = format!(
            "POST {EVALUATION} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        engine.started.acquire().await.unwrap().forget();
        if goes_whole {
            drop(stream);
        } else {
            stream.shutdown().await.unwrap();
            assert_eq!(read_all(&mut stream).await, "");
        }
        loop {
            let again = async { send(&sidecar, "POST", EVALUATION, "{}").await.0 };
            tokio::select! {
                started = engine.started.acquire() => break started.unwrap().forget(),
                status = again => assert_eq!(status, 503, "the place is taken so far"),
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(served.stop().await.unwrap(), 0);
}

/// As for a Flagr that hangs.
#[tokio::test]
async fn what_waits_for_others_takes_no_place_from_what_is_decided_here() {
    const HERE: &str = r#"{"flagKey":"here"}"#;
    let (engine, sidecar) = held(|config| config.max_concurrent_requests = 2);
    let wait = || {
        let sidecar = sidecar.clone();
        tokio::spawn(async move { send(&sidecar, "POST", EVALUATION, "{}").await.0 })
    };
    let waiting = [wait(), wait()];
    engine.started.acquire_many(2).await.unwrap().forget();
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await, (503, "1".to_owned()));
    for _ in 0..5 {
        assert_eq!(send(&sidecar, "POST", EVALUATION, HERE).await.0, 200);
    }
    engine.go_on.add_permits(2);
    for answered in waiting {
        assert_eq!(answered.await.unwrap(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_given_up_and_its_place_is_free_again() {
    let (engine, sidecar) = held(|config| {
        config.max_concurrent_requests = 1;
        config.answer_timeout = Duration::from_secs(5);
    });
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await, (503, "1".to_owned()));
    engine.go_on.add_permits(1);
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await.0, 200);
}

#[tokio::test]
async fn a_panic_is_an_answer_and_frees_its_place() {
    let (engine, sidecar) = held(|config| config.max_concurrent_requests = 1);
    assert_eq!(send(&sidecar, "POST", EVALUATION, r#"{"flagKey":"panic"}"#).await.0, 500);
    engine.go_on.add_permits(1);
    assert_eq!(send(&sidecar, "POST", EVALUATION, "{}").await.0, 200);
}

#[test]
fn the_public_types_can_be_shared() {
    fn check<T: Send + Sync + std::fmt::Debug>() {}
    check::<Sidecar>();
    check::<SidecarConfig>();
    check::<vexilla_server::SidecarParts>();
    check::<vexilla_server::HttpForwarder>();
    check::<vexilla_server::ForwardError>();
    check::<Arc<dyn vexilla_server::Forwarder>>();
    check::<vexilla_server::BoundSidecar>();
    check::<vexilla_server::BindError>();
}
