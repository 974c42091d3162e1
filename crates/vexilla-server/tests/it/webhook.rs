//! The webhook: recorded notices, credentials, replay, overload.

// tidy: long because its cases share one webhook and what it tells.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body_util::StreamBody;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;
use vexilla_domain::{Observer, Secret, WebhookOutcome};
use vexilla_server::{CredentialError, Webhook, WebhookConfig, WebhookHeader};

use crate::fake::FakeClock;
use crate::loopback::{Served, read_until};
use crate::operator::{Answered, FakeOperator, NOW, ask, clock};

const KEY: &str = "shared-secret";
const RIGHT: (&str, &str) = ("authorization", "Bearer hook-secret");

struct Rig {
    operator: Arc<FakeOperator>,
    clock: Arc<FakeClock>,
    webhook: Webhook,
}

impl Rig {
    fn new(change: impl FnOnce(&mut WebhookConfig)) -> Self {
        let mut config = WebhookConfig::default();
        change(&mut config);
        let (operator, clock) = (Arc::new(FakeOperator::default()), clock());
        let webhook = Webhook::new(Arc::clone(&operator) as _, Arc::clone(&clock) as _, config);
        Self { operator, clock, webhook: webhook.unwrap() }
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answered {
        ask(self.webhook.service(), "POST /webhook", headers, body).await
    }

    async fn signed(&self, body: &str) -> Answered {
        self.post(&[("x-webhook-signature", &sign(KEY, body))], body.to_owned()).await
    }
}

fn with_header(config: &mut WebhookConfig) {
    config.header = Some(WebhookHeader::bearer("hook-secret"));
}

fn with_key(config: &mut WebhookConfig) {
    config.signing_secret = Some(Secret::new(KEY));
}

fn sign(key: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let mut digits = String::new();
    mac.finalize().into_bytes().iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
    digits
}

/// A signed notice's body, written so many seconds from now.
fn updated(key: &str, seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(i64::try_from(NOW).unwrap() + seconds).unwrap();
    format!(r#"{{"event":"flag.updated","flag_keys":["{key}"],"timestamp":"{time}"}}"#)
}

/// Headers and body of each recorded notice.
fn recorded(file: &str) -> Vec<(Vec<(String, String)>, String)> {
    let path = format!("{}/../../conformance/recordings/{file}", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let notice = |it: &Value| {
        let headers = it["headers"].as_object().unwrap().iter();
        (headers.map(|(name, value)| (name.clone(), text(value))).collect(), text(&it["body"]))
    };
    file["webhooks"].as_array().unwrap().iter().map(notice).collect()
}

#[tokio::test]
async fn every_recorded_notice_leads_to_its_flag() {
    let mut kinds = BTreeSet::new();
    for (file, count) in [("flagr-http.json", 27), ("flagr-webhooks-with-diff.json", 6)] {
        let notices = recorded(file);
        assert_eq!(notices.len(), count, "{file}");
        for (headers, body) in notices {
            // The second recording was made without a header.
            let needs_header = headers.iter().any(|(name, _)| name == "authorization");
            let rig = Rig::new(|config| {
                if needs_header {
                    with_header(config);
                }
            });
            let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answered = rig.post(&headers, body.clone()).await;
            assert_eq!(
                (answered.status, answered.body),
                (200, json!({"status": "taken"})),
                "{body}"
            );
            let said: Value = serde_json::from_str(&body).unwrap();
            let flag = format!("{}:{}", said["flag_id"], said["flag_key"].as_str().unwrap());
            assert_eq!(rig.operator.notified(), [flag]);
            kinds.insert(format!("{} {}", said["operation"], said["component_type"]));
            if needs_header {
                let bare: Vec<_> =
                    headers.into_iter().filter(|it| it.0 != "authorization").collect();
                assert_eq!(rig.post(&bare, body).await.status, 401);
                assert_eq!(rig.operator.notified().len(), 1);
            }
        }
    }
    assert_eq!(kinds.len(), 10, "{kinds:?}");
}

#[tokio::test]
async fn whatever_a_notice_is_about_it_leads_to_its_flag() {
    let rig = Rig::new(with_header);
    for operation in ["create", "update", "delete", "restore"] {
        for part in
            ["flag", "segment", "constraint", "distribution", "variant", "tag", "something new"]
        {
            let body = json!({
                "operation": operation, "flag_id": 7, "flag_key": "renamed", "component_type": part,
                "component_id": 3, "component_key": "other", "user": "ann",
                "timestamp": "2026-11-22T19:59:37.554022966Z",
            });
            assert_eq!(
                rig.post(&[RIGHT], body.to_string()).await.status,
                200,
                "{operation} {part}"
            );
            let notified = std::mem::take(&mut *rig.operator.notified.lock().unwrap());
            let flag =
                vexilla_domain::FlagName { id: vexilla_domain::FlagId(7), key: "renamed".into() };
            assert_eq!(notified, [vec![flag]], "{operation} {part}");
        }
    }
}

#[tokio::test]
async fn a_header_is_compared_whole() {
    let body = r#"{"operation":"update","flag_id":1,"flag_key":"k"}"#;
    let rig = Rig::new(with_header);
    for (name, value) in [
        ("x-other", "Bearer hook-secret"),
        ("authorization", "Bearer hook-secre"),
        ("authorization", "Bearer hook-secret "),
        ("authorization", "bearer hook-secret"),
        ("authorization", "hook-secret"),
        ("authorization", ""),
        ("x-webhook-signature", &sign("hook-secret", body)),
    ] {
        let answered = rig.post(&[(name, value)], body).await;
        assert_eq!(answered.status, 401, "{name}: {value}");
        assert_eq!(answered.body, json!({"error": "the credential is missing or wrong"}));
    }
    assert_eq!(rig.operator.notified(), Vec::<String>::new());
    assert_eq!(rig.post(&[RIGHT], body).await.status, 200);
    assert!(!format!("{:?}", rig.webhook).contains("hook-secret"));

    let rig = Rig::new(|config| {
        config.header = Some(WebhookHeader { name: "X-Hook".to_owned(), value: "v".into() });
    });
    assert_eq!(rig.post(&[("x-hook", "v")], body).await.status, 200);
    assert_eq!(rig.post(&[("x-hook", "w")], body).await.status, 401);
}

#[tokio::test]
async fn a_signature_is_of_the_raw_body() {
    let rig = Rig::new(with_key);
    let body = updated("k", 0);
    let right = sign(KEY, &body);
    let (all_but_one, last) = right.split_at(63);
    let flipped = format!("{all_but_one}{}", if last == "0" { "1" } else { "0" });
    for wrong in [
        String::new(),
        sign("other", &body),
        sign(KEY, &format!("{body} ")),
        right.split_at(62).0.to_owned(),
        format!("{right}00"),
        format!("sha1={right}"),
        format!("sha256=sha256={right}"),
        format!("+{}", right.split_at(1).1),
        "é".repeat(32),
        flipped,
    ] {
        let answered = rig.post(&[("x-webhook-signature", &wrong)], body.clone()).await;
        assert_eq!(answered.status, 401, "{wrong}");
    }
    assert_eq!(rig.post(&[], body.clone()).await.status, 401);
    assert_eq!(
        rig.post(&[("authorization", &format!("Bearer {KEY}"))], body.clone()).await.status,
        401
    );
    assert_eq!(rig.operator.notified(), Vec::<String>::new());
    for signature in [right.clone(), format!("sha256={right}"), right.to_uppercase()] {
        let rig = Rig::new(with_key);
        assert_eq!(
            rig.post(&[("x-webhook-signature", &signature)], body.clone()).await.status,
            200
        );
        assert_eq!(rig.operator.notified(), ["0:k"]);
    }
    // With both, either will do.
    let rig = Rig::new(|config| {
        with_key(config);
        with_header(config);
    });
    assert_eq!(rig.post(&[RIGHT], body.clone()).await.status, 200);
    assert_eq!(rig.signed(&body).await.status, 200);
    assert_eq!(rig.post(&[("authorization", "Bearer x")], body).await.status, 401);
}

#[tokio::test]
async fn a_signed_notice_counts_once_and_only_for_a_while() {
    let rig = Rig::new(with_key);
    for (seconds, status) in [(0, 200), (300, 200), (-300, 200), (301, 401), (-301, 401)] {
        assert_eq!(
            rig.signed(&updated(&format!("k{seconds}"), seconds)).await.status,
            status,
            "{seconds}"
        );
    }
    assert_eq!(rig.operator.notified(), ["0:k0", "0:k300", "0:k-300"]);
    let answered = rig.signed(&updated("k0", 0)).await;
    assert_eq!((answered.status, answered.body), (200, json!({"status": "repeated"})));
    // Two changes of a second may look alike, and the first notice may have been followed before the second change.
    assert_eq!(rig.operator.notified().split_off(3), ["0:k0"]);
    *rig.clock.0.lock().unwrap() = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 301);
    assert_eq!(rig.signed(&updated("k0", 0)).await.status, 401);
    let answered = rig.signed(r#"{"event":"flag.updated","flag_keys":["k"]}"#).await;
    assert_eq!(answered.status, 400, "{:?}", answered.body);
    assert_eq!(rig.operator.notified().len(), 4);
}

#[tokio::test]
async fn a_time_counts_of_signed_notices_only() {
    for time in [r#""2027-01-15 08:00:00""#, "1800000000", r#""soon""#] {
        let body = format!(r#"{{"operation":"update","flag_id":7,"timestamp":{time}}}"#);
        let rig = Rig::new(|config| {
            with_header(config);
            with_key(config);
        });
        assert_eq!(rig.post(&[RIGHT], body.clone()).await.status, 200, "{time}");
        assert_eq!(rig.operator.notified(), ["7:"]);
        assert_eq!(rig.signed(&body).await.status, 400, "{time}");
        assert_eq!(rig.operator.notified().len(), 1, "it may be from any time");
    }
}

#[tokio::test]
async fn without_a_secret_pages_in_a_browser_are_not_believed() {
    let rig = Rig::new(|_| {});
    let operator = Arc::clone(&rig.operator);
    let bound = rig.webhook.bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    let port = served.port();
    let body = r#"{"operation":"update","flag_id":1,"flag_key":"k"}"#;
    let json = "content-type: application/json\r\n";
    for (host, headers, status) in [
        (port.to_string(), json.to_owned(), 200),
        (format!("localhost:{}", port.port()), json.to_owned(), 200),
        (format!("rebound.example:{}", port.port()), json.to_owned(), 403),
        (port.to_string(), format!("{json}origin: http://example.org\r\n"), 403),
        (port.to_string(), format!("{json}sec-fetch-site: cross-site\r\n"), 403),
        (port.to_string(), "content-type: text/plain\r\n".to_owned(), 415),
        (port.to_string(), String::new(), 415),
    ] {
        operator.notified.lock().unwrap().clear();
        let request = format!(
            "POST /webhook HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = served.exchange(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert_eq!(operator.notified().len(), usize::from(status == 200), "{request}");
    }
    assert_eq!(served.stop().await.unwrap(), 0);
}

#[tokio::test]
async fn bad_bodies_are_refused_by_authentic_senders_too() {
    let rig = Rig::new(with_header);
    for body in ["", "nonsense", "{}", "[]", r#"{"event":"flag.exploded","flag_keys":["k"]}"#] {
        assert_eq!(rig.post(&[RIGHT], body).await.status, 400, "{body}");
        let notified = std::mem::take(&mut *rig.operator.notified.lock().unwrap());
        assert_eq!(notified, [vec![]], "it does say that something changed: {body}");
    }
    let answered =
        rig.post(&[RIGHT], &b"{\"operation\":\"update\",\"flag_key\":\"\xff\"}"[..]).await;
    assert_eq!(answered.status, 400);
    rig.operator.notified.lock().unwrap().clear();
    for (route, status) in [("GET /webhook", 405), ("POST /", 404), ("POST /webhook/", 404)] {
        let answered = ask(rig.webhook.service(), route, &[RIGHT], "").await;
        assert_eq!(answered.status, status, "{route}");
        assert!(answered.body["error"].is_string());
    }
    assert_eq!(rig.operator.notified(), Vec::<String>::new());
}

#[tokio::test]
async fn a_notice_that_is_too_large_still_says_that_something_changed() {
    let body = format!(r#"{{"operation":"update","flag_id":1,"diff":"{}"}}"#, "x".repeat(100));
    let rig = Rig::new(|config| {
        with_header(config);
        config.max_body_bytes = 100;
    });
    assert_eq!(rig.post(&[RIGHT], body.clone()).await.status, 413);
    assert_eq!(rig.operator.notified(), ["everything"]);
    let rig = Rig::new(|config| {
        with_key(config);
        config.max_body_bytes = 100;
    });
    assert_eq!(rig.signed(&body).await.status, 413, "nobody knows whether it is authentic");
    assert_eq!(rig.operator.notified(), Vec::<String>::new());
}

#[tokio::test]
async fn under_overload_one_look_at_everything_replaces_the_many() {
    let rig = Rig::new(|config| {
        with_header(config);
        with_key(config);
        config.max_concurrent_requests = 1;
    });
    // The only place is taken by a body that comes in two parts.
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let (first, rest) = (r#"{"operation":"update","#, r#""flag_id":1,"flag_key":"slow"}"#);
    let parts = futures_util::stream::unfold(Some((0, Some(receive))), move |state| async move {
        let (part, receive) = state?;
        let frame = |text: &'static str| {
            Ok::<_, std::io::Error>(hyper::body::Frame::data(Bytes::from_static(text.as_bytes())))
        };
        match receive {
            receive if part == 0 => Some((frame(first), Some((1, receive)))),
            receive => {
                receive?.await.ok()?;
                Some((frame(rest), None))
            }
        }
    });
    let request =
        Request::post("/webhook").header(RIGHT.0, RIGHT.1).body(StreamBody::new(Box::pin(parts)));
    let slow = tokio::spawn(rig.webhook.service().oneshot(request.unwrap()));
    let body = r#"{"operation":"update","flag_id":2,"flag_key":"k"}"#;
    while rig.operator.notified().is_empty() {
        let answered = rig.post(&[RIGHT], body).await;
        assert_eq!(answered.status, 200);
        if rig.operator.notified() == ["2:k"] {
            rig.operator.notified.lock().unwrap().clear(); // the slow one has not begun yet
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(rig.operator.notified(), ["everything"]);
    assert_eq!(rig.post(&[], body).await.status, 401, "without a credential nothing happens");
    // A signed one waits for its turn: whether it is authentic shows with its body only.
    let webhook = rig.webhook.clone();
    let signed = tokio::spawn(async move {
        let body = updated("signed", 0);
        let headers = [("x-webhook-signature", &*sign(KEY, &body))];
        ask(webhook.service(), "POST /webhook", &headers, body.clone()).await.status
    });
    tokio::task::yield_now().await;
    send.send(()).unwrap();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(signed.await.unwrap(), 200);
    assert_eq!(rig.operator.notified(), ["everything", "1:slow", "0:signed"]);
}

#[tokio::test]
async fn a_burst_is_handed_on_as_it_comes() {
    let rig = Rig::new(with_header);
    let operator = Arc::clone(&rig.operator);
    let bound = rig.webhook.bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let served = Served::start(bound, Duration::from_secs(10));
    let mut stream = served.connect().await;
    for number in 0..1_000 {
        let body =
            format!(r#"{{"operation":"update","flag_id":{},"flag_key":"k"}}"#, number % 10 + 1);
        let request = format!(
            "POST /webhook HTTP/1.1\r\nhost: x\r\nauthorization: Bearer hook-secret\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "{\"status\":\"taken\"}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let notified = operator.notified();
    assert_eq!(notified.len(), 1_000, "the port turns many notes of one flag into few reads");
    assert_eq!(notified.into_iter().collect::<BTreeSet<_>>().len(), 10);
    assert_eq!(served.stop().await.unwrap(), 0);
}

#[tokio::test]
async fn without_a_secret_only_this_machine_is_served() {
    for (address, allowed) in [("0.0.0.0:0", false), ("[::]:0", false), ("127.0.0.1:0", true)] {
        let bound = Rig::new(|_| {}).webhook.bind(&address.parse().unwrap()).await;
        assert_eq!(bound.is_ok(), allowed, "{address}");
        if let Err(error) = bound {
            let reason = std::error::Error::source(&error).unwrap().to_string();
            assert!(reason.contains("has no secret"), "{reason}");
        }
    }
    Rig::new(with_key).webhook.bind(&"0.0.0.0:0".parse().unwrap()).await.unwrap();
    let open = Rig::new(|_| {});
    assert_eq!(open.post(&[], r#"{"event":"flag.deleted","flag_keys":["k"]}"#).await.status, 200);
}

#[test]
fn what_is_no_credential_is_refused() {
    let refused = |change: &dyn Fn(&mut WebhookConfig)| {
        let mut config = WebhookConfig::default();
        change(&mut config);
        Webhook::new(Arc::new(FakeOperator::default()), clock(), config).unwrap_err()
    };
    assert_eq!(refused(&|it| it.signing_secret = Some(Secret::new(""))), CredentialError::Empty);
    let header =
        |name: &str, value: &str| WebhookHeader { name: name.to_owned(), value: value.into() };
    let error = refused(&|it| it.header = Some(header("x y", "v")));
    assert_eq!(error.to_string(), "`x y` cannot be the name of a header");
    assert_eq!(refused(&|it| it.header = Some(header("x", ""))), CredentialError::Empty);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_is_taken_or_refused(body in proptest::collection::vec(any::<u8>(), 0..100), cut in 0usize..90) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rig = Rig::new(with_header);
        let mut near = br#"{"operation":"update","flag_id":1,"flag_key":"k","timestamp":"2025-01-15T10:30:00Z"}"#.to_vec();
        near.truncate(cut);
        near.extend_from_slice(&body[..body.len() / 8]);
        for body in [body, near] {
            let status = runtime.block_on(rig.post(&[RIGHT], body)).status;
            prop_assert!(status == 200 || status == 400, "{status}");
            prop_assert_eq!(rig.operator.notified().len(), 1, "what cannot be read is followed too");
            rig.operator.notified.lock().unwrap().clear();
        }
    }
}

/// Takes what came of calls.
#[derive(Debug, Default)]
struct Outcomes(std::sync::Mutex<Vec<WebhookOutcome>>);

impl Observer for Outcomes {
    fn webhook_received(&self, outcome: WebhookOutcome) {
        self.0.lock().unwrap().push(outcome);
    }
}

#[tokio::test]
async fn an_observer_hears_what_came_of_each_call() {
    let outcomes = Arc::new(Outcomes::default());
    let mut rig = Rig::new(|config| {
        with_key(config);
        with_header(config);
        config.max_body_bytes = 200;
    });
    rig.webhook = rig.webhook.with_observer(Arc::clone(&outcomes) as _);
    let notice = updated("a", 0);
    rig.signed(&notice).await;
    rig.signed(&notice).await; // once more
    rig.post(&[], notice.clone()).await;
    rig.post(&[RIGHT], "no notice").await;
    rig.post(&[RIGHT], "x".repeat(201)).await;
    ask(rig.webhook.service(), "POST /elsewhere", &[RIGHT], notice.clone()).await;
    ask(rig.webhook.service(), "GET /webhook", &[RIGHT], "").await;
    let expected = [
        WebhookOutcome::Accepted,
        WebhookOutcome::Ignored,
        WebhookOutcome::Unauthorized,
        WebhookOutcome::Malformed,
        WebhookOutcome::TooLarge,
    ];
    assert_eq!(*outcomes.0.lock().unwrap(), expected);
}

/// What is not read is not malformed.
#[tokio::test]
async fn an_observer_hears_of_what_could_not_be_taken_in() {
    let outcomes = Arc::new(Outcomes::default());
    let mut rig = Rig::new(|config| {
        with_key(config);
        config.max_concurrent_requests = 0;
        config.read_timeout = Duration::ZERO;
    });
    rig.webhook = rig.webhook.with_observer(Arc::clone(&outcomes) as _);
    assert_eq!(rig.signed(&updated("a", 0)).await.status, 429);

    let mut rig = Rig::new(|config| {
        with_header(config);
        config.read_timeout = Duration::ZERO;
    });
    rig.webhook = rig.webhook.with_observer(Arc::clone(&outcomes) as _);
    let never =
        futures_util::stream::pending::<Result<hyper::body::Frame<Bytes>, std::io::Error>>();
    let request = Request::post("/webhook").header(RIGHT.0, RIGHT.1);
    let request = request.body(StreamBody::new(never)).unwrap();
    assert_eq!(rig.webhook.service().oneshot(request).await.unwrap().status(), 408);
    assert_eq!(rig.operator.notified(), ["everything"]);
    assert_eq!(*outcomes.0.lock().unwrap(), [WebhookOutcome::Failed; 2]);
}
