//! One evaluation by Flagr: what is sent, what comes back, and what goes wrong. Never a second request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use vexilla_domain::{
    Answer, Batch, Context, Debug, FlagId, FlagRef, FlagSource, Reason, RemoteCall, RemoteError,
    RemoteErrorKind, RemoteEvaluator, Secret, SnapshotId, Source,
};
use vexilla_flagr::{Auth, FlagrConfig, FlagrEvaluator};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::flagr::{Flagr, json, source};
use crate::raw::{Then, nobody, serve_counted, serve_kept};

pub(crate) const EVALUATION: &str = "/api/v1/evaluation";
pub(crate) const BATCH: &str = "/api/v1/evaluation/batch";

/// Milliseconds instead of seconds.
const SHORT: Duration = Duration::from_millis(60);

const BLANK: &str = r#"{"evalContext":{"entityID":"u1","flagKey":"k"},"evalDebugLog":{"msg":"flagID 0 not found or deleted","segmentDebugLogs":null},"flagKey":"k","recordSource":"evaluation","timestamp":"2026-11-22T19:59:38Z"}"#;

pub(crate) async fn answer_post(flagr: &Flagr, at: &str, response: ResponseTemplate) {
    Mock::given(method("POST")).and(path(at)).respond_with(response).mount(&flagr.0).await;
}

pub(crate) fn evaluator(url: &str, change: impl FnOnce(&mut FlagrConfig)) -> FlagrEvaluator {
    source(url, |config| {
        // Retries would show in the counts.
        config.retries = 3;
        config.retry_base = Duration::from_millis(1);
        change(config);
    })
    .evaluator()
}

/// The bodies of the requests so far.
pub(crate) async fn sent(flagr: &Flagr) -> Vec<String> {
    let requests = flagr.0.received_requests().await.unwrap();
    requests.into_iter().map(|it| String::from_utf8(it.body).unwrap()).collect()
}

/// A call for a flag of which nothing is known here.
pub(crate) fn call<'a>(flag: FlagRef<'a>, context: &'a Context, debug: Debug) -> RemoteCall<'a> {
    let (id, snapshot_id) = (FlagId(0), SnapshotId(0));
    RemoteCall { flag, id, snapshot_id, data_records_enabled: false, context, debug }
}

async fn ask(evaluator: &FlagrEvaluator) -> Result<Answer, RemoteError> {
    ask_for(evaluator, &Context::new("u1")).await
}

async fn ask_for(evaluator: &FlagrEvaluator, context: &Context) -> Result<Answer, RemoteError> {
    evaluator.evaluate(call(FlagRef { id: 0, key: "k" }, context, Debug::Off)).await
}

#[tokio::test]
async fn a_request_is_flagrs_and_says_who_asks() {
    let flagr = Flagr::start().await;
    answer_post(&flagr, &format!("/foo{EVALUATION}"), json(BLANK)).await;
    let evaluator = evaluator(&format!("{}/foo/", flagr.0.uri()), |it| {
        it.auth = Auth::Bearer(Secret::new("hunter2"));
    });
    let answer = ask(&evaluator).await.unwrap();
    assert_eq!(answer.evaluation.reason, Reason::NotFound);
    assert_eq!(answer.evaluation.source, Source::Remote);
    assert_eq!(answer.log.message, "flagID 0 not found or deleted");
    assert_eq!(&*answer.entity_id, "u1");

    let requests = flagr.0.received_requests().await.unwrap();
    let header = |name: &str| requests[0].headers.get(name).map(|it| it.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("accept"), Some("application/json"));
    assert_eq!(header("authorization"), Some("Bearer hunter2"));
    assert_eq!(header("user-agent"), Some(concat!("vexilla/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(requests[0].body, br#"{"entityID":"u1","flagKey":"k"}"#);
    assert!(!format!("{evaluator:?}").contains("hunter2"));
}

#[tokio::test]
async fn headers_of_the_user_go_with_it_and_change_nothing_of_ours() {
    for (auth, name, value) in [
        (Auth::Bearer(Secret::new("ours")), "authorization", "Bearer ours"),
        (Auth::Header { name: "X-Key".into(), value: Secret::new("ours") }, "x-key", "ours"),
    ] {
        let flagr = Flagr::start().await;
        answer_post(&flagr, EVALUATION, json(BLANK)).await;
        answer_post(&flagr, BATCH, json(r#"{"evaluationResults":[]}"#)).await;
        let evaluator = evaluator(&flagr.0.uri(), |it| it.auth = auth);
        let given = [
            ("CF-IPCountry", "US"),
            ("Authorization", "Bearer theirs"),
            ("X-Key", "theirs"),
            ("Cookie", "access_token=theirs"),
            ("Host", "elsewhere"),
            ("Content-Type", "text/plain"),
            ("Content-Length", "1"),
            ("Accept", "text/html"),
            ("Transfer-Encoding", "chunked"),
            ("not a name", "x"),
        ];
        let headers = given.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let context = Context::new("u1").with_headers(headers);
        ask_for(&evaluator, &context).await.unwrap();
        let other = Context::new("u2");
        let entities = [context];
        let batch = Batch { entities: &entities, flag_tags: &["t".into()], ..Batch::default() };
        evaluator.evaluate_batch(batch).await.unwrap();
        let [context] = entities;
        let entities = [context, other];
        let batch = Batch { entities: &entities, flag_tags: &["t".into()], ..Batch::default() };
        evaluator.evaluate_batch(batch).await.unwrap();

        let requests = flagr.0.received_requests().await.unwrap();
        let all = |name: &str| -> Vec<&str> {
            requests[0].headers.get_all(name).iter().map(|it| it.to_str().unwrap()).collect()
        };
        assert_eq!(all("cf-ipcountry"), ["US"]);
        assert_eq!(all(name), [value]);
        assert_eq!(all("cookie").len() + all("transfer-encoding").len(), 0);
        assert_eq!(all("host"), [flagr.0.address().to_string()]);
        assert_eq!(all("content-type"), ["application/json"]);
        assert_eq!(all("accept"), ["application/json"]);
        assert_eq!(all("content-length"), [requests[0].body.len().to_string()]);
        assert_eq!(requests[1].headers.get("cf-ipcountry").unwrap(), "US", "all have the same");
        assert!(requests[2].headers.get("cf-ipcountry").is_none(), "not all have the same");
    }
}

#[tokio::test]
async fn reads_and_evaluations_share_their_connections() {
    let (address, connections) = serve_kept(BLANK).await;
    let source = source(&address, |_| {});
    source.health().await.unwrap();
    ask(&source.evaluator()).await.unwrap();
    source.health().await.unwrap();
    ask(&source.evaluator()).await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_for_somebody_else_is_none() {
    for other in [
        BLANK.replace("\"u1\"", "\"u2\""),
        BLANK.replace("\"k\"", "\"other\""),
        BLANK.replace("\"flagKey\":\"k\"", "\"flagID\":3"),
    ] {
        let flagr = Flagr::start().await;
        answer_post(&flagr, EVALUATION, json(&other)).await;
        let error = ask(&evaluator(&flagr.0.uri(), |_| {})).await.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Unavailable);
        let told = error.to_string();
        assert!(told.ends_with("expected: a result for another than was asked for"), "{told}");
    }
}

/// Checks the error that an evaluation and a batch end in, and that each was sent once.
async fn check(bytes: impl Into<Vec<u8>>, then: Then, kind: RemoteErrorKind, text: &str) {
    let (address, count) = serve_counted(bytes, then).await;
    let evaluator = evaluator(&address, |it| {
        if let Then::IsSilent = then {
            it.evaluation_timeout = SHORT;
        }
        it.max_evaluation_bytes = 1 << 20;
    });
    let entities = [Context::new("u1")];
    let batch = Batch { entities: &entities, flag_ids: &[1], ..Batch::default() };
    for (at, error) in [
        (EVALUATION, ask(&evaluator).await.unwrap_err()),
        (BATCH, evaluator.evaluate_batch(batch).await.unwrap_err()),
    ] {
        let told = error.to_string();
        assert!(told.starts_with(&format!("POST {at}")) && told.contains(text), "{told}");
        assert_eq!(error.kind(), kind, "{told}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 2, "{text}");
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n{body}")
}

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn nobody_listens() {
    let error = ask(&evaluator(&nobody().await, |_| {})).await.unwrap_err();
    assert_eq!(error.to_string(), "POST /api/v1/evaluation: cannot connect");
    assert_eq!(error.kind(), RemoteErrorKind::Unavailable);
}

#[tokio::test]
async fn silence_and_broken_connections() {
    use RemoteErrorKind::Unavailable;
    check("", Then::IsSilent, Unavailable, " 60ms").await;
    check(answer("200 OK", JSON, "{\"eval"), Then::IsSilent, Unavailable, " 60ms").await;
    check("", Then::Closes, Unavailable, ": no answer").await;
    check("220 mail ESMTP\r\n", Then::Closes, Unavailable, ": no answer").await;
    let longer = format!("{JSON}content-length: 900\r\n");
    let broke = ": the answer broke off after 2 bytes";
    check(answer("200 OK", &longer, "{}"), Then::Closes, Unavailable, broke).await;
}

#[tokio::test]
async fn other_things_than_evaluations() {
    use RemoteErrorKind::{BadFlag, BadRequest, Refused, Unavailable};
    let expected = " answered something else than expected: ";
    for body in ["", "{}", "[]", "null", r#"{"message":"boom"}"#, r#"{"evalContext":{"#] {
        check(answer("200 OK", JSON, body), Then::Closes, Unavailable, expected).await;
    }
    let html = answer("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>");
    check(html, Then::Closes, Unavailable, "something else than `application/json`: `text/html`")
        .await;
    let login = answer("307 Temporary Redirect", "location: /login\r\n", "");
    check(login, Then::Closes, Unavailable, "307 Temporary Redirect: redirects are not").await;
    let large = " ".repeat(2 << 20);
    check(answer("200 OK", JSON, &large), Then::Closes, Unavailable, "more than 1048576 bytes")
        .await;

    let message = r#"{"code":609,"message":"flagID in body should be …"}"#;
    let told = "422 Unprocessable Entity: `flagID in body should be …`";
    check(answer("422 Unprocessable Entity", JSON, message), Then::Closes, BadRequest, told).await;
    let denied = answer("401 Unauthorized", "content-type: text/plain\r\n", "Not authorized");
    check(denied, Then::Closes, Refused, "it wants credentials, none are configured").await;
    let busy = answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    check(busy, Then::Closes, Unavailable, "429 Too Many Requests").await;
    check(answer("503 Service Unavailable", "", ""), Then::Closes, Unavailable, "503 ").await;
    let panic = "PANIC: runtime error: index out of range [-1]\ngoroutine 7 [running]:\n";
    let panic = answer("500 Internal Server Error", "content-type: text/plain\r\n", panic);
    check(panic, Then::Closes, BadFlag, ": `PANIC: runtime error: index out of range [-1]`").await;
    check(answer("500 Internal Server Error", JSON, message), Then::Closes, Unavailable, "500 ")
        .await;
    let endless = answer("400 Bad Request", JSON, "{\"message\":\"no end");
    check(endless, Then::IsSilent, Unavailable, " 60ms").await;
}

#[tokio::test]
async fn an_attachment_that_cannot_be_read_is_the_flags_fault() {
    let deep = format!("{}1{}", "{\"a\":".repeat(101), "}".repeat(101));
    let body = format!(
        r#"{{"evalContext":{{"entityID":"u1","flagKey":"k"}},"flagID":1,"flagKey":"k","variantID":2,"variantAttachment":{deep}}}"#
    );
    let flagr = Flagr::start().await;
    answer_post(&flagr, EVALUATION, json(&body)).await;
    let error = ask(&evaluator(&flagr.0.uri(), |_| {})).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::BadAnswer);
    assert!(error.to_string().ends_with("flag `k`: nested deeper than 100 levels"), "{error}");
}

#[tokio::test]
async fn the_numbers_of_a_context_go_out_as_they_came() {
    let flagr = Flagr::start().await;
    answer_post(&flagr, EVALUATION, json(BLANK)).await;
    let context = r#"{"big":12345678901234567890,"n":1.50,"x":1e400}"#;
    let raw: &serde_json::value::RawValue = serde_json::from_str(context).unwrap();
    let numbers = vexilla_domain::json::Numbers::AsWritten;
    let attributes = vexilla_domain::json::read_value(raw, numbers).unwrap();
    let context = Context::new("u1").with_attributes(Some(attributes));
    let evaluator = evaluator(&flagr.0.uri(), |_| {});
    evaluator.evaluate(call(FlagRef { id: 0, key: "k" }, &context, Debug::On)).await.unwrap();
    assert_eq!(
        sent(&flagr).await,
        [
            r#"{"entityID":"u1","entityContext":{"big":12345678901234567890,"n":1.50,"x":1e400},"enableDebug":true,"flagKey":"k"}"#
        ]
    );
}

#[test]
fn an_evaluator_is_a_shared_port() {
    fn port(_: impl RemoteEvaluator + Clone + 'static) {}
    port(source("http://127.0.0.1:1", |_| {}).evaluator());
}
