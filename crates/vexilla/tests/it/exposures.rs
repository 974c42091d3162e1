//! What people saw, on its way to Flagr: through the client, through the sidecar, over outages.

// tidy: long because its cases share one scripted Flagr and one sink.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use vexilla::{
    BreakerConfig, Client, Config, Context, ExposeErrorKind, ExposureConfig, FlagFilter,
    FlagrConfig, Records, Rollouts, SidecarConfig, StartPolicy,
};
use vexilla_domain::{
    DeliveryError, Exposure, ExposureInbox, ExposureSink, FlagId, RowError, Strictness,
};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::routing::split;
use crate::scripted::{Answer, Scripted, flag};
use crate::upstream::through;

const JSON: (&str, &str) = ("content-type", "application/json");

/// Takes everything and keeps it.
#[derive(Debug, Default)]
struct Sink(Mutex<Vec<Exposure>>);

#[async_trait]
impl ExposureSink for Sink {
    async fn send(&self, exposures: &[Exposure]) -> Result<Vec<RowError>, DeliveryError> {
        self.0.lock().unwrap().extend_from_slice(exposures);
        Ok(Vec::new())
    }
}

/// A client of these flags in Flagr's export shape.
async fn client_of(flags: &str, sink: &Arc<Sink>, config: Config) -> Client {
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Flags(flags.to_owned()));
    source.then(Answer::Unchanged);
    let parts = source.parts().with_exposures(Arc::clone(sink) as _);
    Client::new(parts, config).await.unwrap()
}

fn recorded(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[derive(Deserialize)]
struct Case {
    body: String,
    sent_as: Option<String>,
    status: u16,
    content_type: String,
    response: String,
}

#[tokio::test]
async fn every_recorded_request_is_answered_to_the_letter() {
    #[derive(Deserialize)]
    struct First {
        export: String,
    }

    let text = recorded("exposures.jsonl");
    let mut lines = text.lines();
    let First { export } = serde_json::from_str(lines.next().unwrap()).unwrap();
    let sink = Arc::new(Sink::default());
    let client = client_of(&export, &sink, Config::default()).await;
    let sidecar = client.sidecar(SidecarConfig::default());
    let (mut count, mut failures) = (0, Vec::new());
    for line in lines {
        let case: Case = serde_json::from_str(line).unwrap();
        let sent_as = case.sent_as.as_deref().unwrap_or(JSON.1);
        let headers = [("content-type", sent_as)];
        let answered = through(&sidecar, "POST /api/v1/exposures", &headers, &case.body).await;
        let expected = (case.status, case.content_type.as_str(), case.response.as_str());
        let content_type = answered.headers["content-type"].to_str().unwrap();
        if (answered.status, content_type, answered.body.as_str()) != expected {
            failures
                .push(format!("{}\n  expected {expected:?}\n  answered {answered:?}", case.body));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(count, 171);
}

#[tokio::test]
async fn the_recorded_session_is_answered_to_the_letter() {
    let session: Value = serde_json::from_str(&recorded("recordings/flagr-http.json")).unwrap();
    let exchanges = session["exchanges"].as_array().unwrap();
    let named = |name: &str| exchanges.iter().find(|it| it["name"] == name).unwrap();
    let sink = Arc::new(Sink::default());
    let export = named("export")["response"]["body"].as_str().unwrap();
    let client = client_of(export, &sink, Config::default()).await;
    let sidecar = client.sidecar(SidecarConfig::default());
    let mut count = 0;
    for exchange in exchanges {
        let name = exchange["name"].as_str().unwrap();
        let Some(body) =
            exchange["request"]["body"].as_str().filter(|_| name.starts_with("exposures"))
        else {
            continue;
        };
        let answered = through(&sidecar, "POST /api/v1/exposures", &[JSON], body).await;
        let response = &exchange["response"];
        assert_eq!(json!(answered.status), response["status"], "{name}");
        assert_eq!(json!(answered.body), response["body"], "{name}");
        count += 1;
    }
    assert_eq!(count, 6);
    client.stop().await;
    let taken = sink.0.lock().unwrap();
    assert_eq!((taken.len(), &*taken[0].variant_key), (1, "treatment"));
    let at = std::time::UNIX_EPOCH + Duration::from_millis(1_782_388_800_123);
    assert_eq!(taken[0].at, Some(at), "its own time, whenever it is sent");
}

#[tokio::test]
async fn an_evaluation_is_exposed_as_it_came_out() {
    let sink = Arc::new(Sink::default());
    let mut config = Config::default();
    config.rollouts = Rollouts::Local;
    let flags = format!("[{},{}]", flag(1, "a", ""), split(2, "s"));
    let client = client_of(&flags, &sink, config).await;
    let ctx = Context::new("u1").with_entity_type("user").with("page", "/x");
    for key in ["a", "s"] {
        client.expose(&client.evaluate(key, &ctx).await, &ctx).await.unwrap();
    }
    assert_eq!(client.stats().exposures.unwrap().queued, 2);

    let unknown = client.evaluate("nope", &ctx).await;
    let refused = client.expose(&unknown, &ctx).await.unwrap_err();
    assert_eq!(
        (refused.kind(), &*refused.to_string()),
        (ExposeErrorKind::Invalid, "flag not found")
    );
    let nobody = Context::new("");
    let refused = client.expose(&client.evaluate("a", &nobody).await, &nobody).await.unwrap_err();
    assert_eq!(refused.to_string(), "entityID is required");

    let evaluation = client.evaluate("a", &ctx).await;
    client.stop().await;
    let refused = client.expose(&evaluation, &ctx).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::Stopped);
    let taken = sink.0.lock().unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!((taken[0].flag_id, &*taken[0].variant_key), (FlagId(1), "on"));
    assert_eq!((&*taken[0].entity_id, &*taken[0].entity_type), ("u1", "user"));
    assert_eq!(taken[0].entity_context.as_ref(), ctx.attributes());
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.queued, counts.sent, counts.dropped), (0, 2, 0));
}

#[tokio::test]
async fn what_is_not_known_here_is_for_flagr_to_judge() {
    let row = |key: &str| {
        Some(Exposure { flag_key: key.into(), entity_id: "e".into(), ..Exposure::default() })
    };
    let sink = Arc::new(Sink::default());
    let mut config = Config::default();
    config.filter = FlagFilter::default().with_only_enabled();
    let off = flag(1, "off", "").replace(r#""Enabled":true"#, r#""Enabled":false"#);
    let client = client_of(&format!("[{off},{}]", flag(2, "on", "")), &sink, config).await;
    let errors = client.take(vec![row("off"), row("nope"), row("on"), None]).await.unwrap();
    let errors: Vec<_> = errors.iter().map(|it| (it.index, &*it.message)).collect();
    assert_eq!(errors, [(1, "flag not found"), (3, "exposure row is null")]);

    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Fails);
    let mut config = Config::default();
    config.start = StartPolicy::ComeUpEmpty;
    let parts = source.parts().with_exposures(Arc::clone(&sink) as _);
    let empty = Client::new(parts, config).await.unwrap();
    assert!(empty.take(vec![row("any")]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_flag_that_is_new_in_flagr_is_looked_for() {
    let sink = Arc::new(Sink::default());
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "new", "")]);
    let parts = source.parts().with_exposures(Arc::clone(&sink) as _);
    let client = Client::new(parts, Config::default()).await.unwrap();
    let row = Exposure { flag_key: "new".into(), entity_id: "e".into(), ..Exposure::default() };
    assert!(client.take(vec![Some(row)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_a_flagr_nobody_takes_them() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let client = source.client(Config::default()).await;
    let ctx = Context::new("u");
    let refused = client.expose(&client.evaluate("a", &ctx).await, &ctx).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::NoFlagr);
    assert_eq!(client.stats().exposures, None);
    let sidecar = client.sidecar(SidecarConfig::default());
    assert_eq!(through(&sidecar, "POST /api/v1/exposures", &[JSON], "{}").await.status, 501);
}

#[tokio::test]
async fn when_there_is_no_room_the_sidecar_says_when_to_try_again() {
    let sink = Arc::new(Sink::default());
    let mut config = Config::default();
    config.exposures.queue = 1;
    let client = client_of(&format!("[{}]", flag(1, "a", "")), &sink, config).await;
    let sidecar = client.sidecar(SidecarConfig::default());
    let body = r#"{"exposures":[{"flagKey":"a","entityID":"1"},{"flagKey":"a","entityID":"2"}]}"#;
    let answered = through(&sidecar, "POST /api/v1/exposures", &[JSON], body).await;
    assert_eq!((answered.status, &answered.headers["retry-after"]), (503, &"1".parse().unwrap()));
    assert_eq!(client.stats().exposures.unwrap().queued, 0, "all or none");
}

/// How a Flagr answers what it is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Unwell,
    NotJson,
    Lies,
    RefusesSome,
    Old,
    /// Takes no more than 100 exposures at once.
    Limited,
    /// Is behind a gateway that takes no large bodies.
    BehindAGateway,
}

/// A Flagr over HTTP with one flag, which counts the exposures and the evaluations that it gets.
#[derive(Debug, Clone)]
struct Flagr {
    mood: Arc<Mutex<Mood>>,
    /// How often each entity was seen, and how many requests there were.
    seen: Arc<watch::Sender<(BTreeMap<String, u32>, u32)>>,
}

impl Respond for Flagr {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut mood = *self.mood.lock().unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let is_batch = request.url.path().ends_with("/batch");
        let rows =
            body[if is_batch { "entities" } else { "exposures" }].as_array().unwrap().clone();
        match mood {
            Mood::Limited if rows.len() <= 100 => mood = Mood::Takes,
            Mood::BehindAGateway if rows.len() <= 15 => mood = Mood::Takes,
            _ => {}
        }
        let takes_none = [Mood::Unwell, Mood::Old, Mood::Limited, Mood::BehindAGateway];
        self.seen.send_modify(|seen| {
            seen.1 += 1;
            if !takes_none.contains(&mood) {
                for row in &rows {
                    *seen.0.entry(row["entityID"].as_str().unwrap().to_owned()).or_default() += 1;
                }
            }
        });
        let answer = |value: Value| ResponseTemplate::new(200).set_body_json(value);
        match mood {
            Mood::Takes if is_batch => {
                let result = |row: &Value| {
                    json!({
                        "flagID": body["flagIDs"][0], "flagKey": "a", "flagSnapshotID": 1, "flagTags": [],
                        "evalContext": {"entityID": row["entityID"], "flagID": body["flagIDs"][0]},
                        "evalDebugLog": {}, "timestamp": "2026-11-23T00:00:00Z",
                    })
                };
                answer(json!({ "evaluationResults": rows.iter().map(result).collect::<Vec<_>>() }))
            }
            Mood::Takes => {
                answer(json!({ "errors": null, "message": "Exposures logged successfully" }))
            }
            Mood::Unwell => ResponseTemplate::new(503),
            Mood::NotJson => ResponseTemplate::new(200).set_body_string("<html>"),
            Mood::Lies => answer(json!({ "errors": [{"index": 7_000, "message": "no such row"}] })),
            Mood::RefusesSome => answer(json!({ "errors": [{"message": "flag not found"}] })),
            Mood::Limited => {
                let size = rows.len();
                let message =
                    format!("exposure batch size {size} exceeds maximum allowed size of 100");
                ResponseTemplate::new(400).set_body_json(json!({ "message": message }))
            }
            Mood::BehindAGateway => ResponseTemplate::new(413).set_body_string("<html>"),
            Mood::Old => ResponseTemplate::new(404).set_body_json(
                json!({"code": 404, "message": "path /api/v1/exposures was not found"}),
            ),
        }
    }
}

impl Flagr {
    async fn start(mood: Mood) -> (Self, MockServer) {
        let flagr =
            Self { mood: Arc::new(Mutex::new(mood)), seen: Arc::new(watch::Sender::default()) };
        let server = MockServer::start().await;
        let export = json!({"Flags": [serde_json::from_str::<Value>(
            &flag(1, "a", "").replace(r#""Enabled":true"#, r#""Enabled":true,"DataRecordsEnabled":true"#),
        ).unwrap()]});
        for (at, body) in [
            ("/api/v1/flags/snapshots/max_id", json!({"maxID": 1})),
            ("/api/v1/export/eval_cache/json", export),
        ] {
            let answer = ResponseTemplate::new(200).set_body_json(body);
            Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
        }
        Mock::given(method("POST")).respond_with(flagr.clone()).mount(&server).await;
        (flagr, server)
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Waits until so many entities were seen.
    async fn saw(&self, count: usize) {
        self.seen.subscribe().wait_for(|it| count <= it.0.len()).await.unwrap();
    }

    /// Waits until it was asked so often.
    async fn was_asked(&self, times: u32) {
        self.seen.subscribe().wait_for(|it| times <= it.1).await.unwrap();
    }

    /// How often anything was seen again.
    fn repeated(&self) -> u32 {
        self.seen.borrow().0.values().map(|it| it - 1).sum()
    }
}

/// Soon sent, soon tried again.
fn hasty() -> ExposureConfig {
    let mut config = ExposureConfig::default();
    config.interval = Duration::from_millis(5);
    config.retry_base = Duration::from_millis(2);
    config.retry_max = Duration::from_millis(10);
    config
}

async fn client(server: &MockServer, records: Records, exposures: ExposureConfig) -> Client {
    let mut flagr = FlagrConfig::new(server.uri());
    flagr.bulk_idle_timeout = Duration::from_secs(60);
    let mut breaker = BreakerConfig::default();
    breaker.open_for = Duration::from_millis(20);
    let builder = Client::builder().flagr_with(flagr).records(records).breaker(breaker);
    builder.exposures(exposures).start().await.unwrap()
}

/// The same evaluation, seen by these.
async fn expose(client: &Client, entities: std::ops::Range<u32>) {
    let evaluation = client.local().evaluate("a", &Context::new("x"));
    for entity in entities {
        client.expose(&evaluation, &Context::new(entity.to_string())).await.unwrap();
    }
}

#[tokio::test]
async fn thousands_wait_in_memory_for_flagr() {
    let (flagr, server) = Flagr::start(Mood::Unwell).await;
    let client = client(&server, Records::Off, hasty()).await;
    expose(&client, 0..3_000).await;
    flagr.was_asked(2).await;
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.queued, counts.sent, counts.dropped), (3_000, 0, 0));
    assert!(counts.last_error.is_some());

    flagr.set(Mood::Takes);
    flagr.saw(3_000).await;
    client.stop().await;
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.queued, counts.sent, counts.dropped), (0, 3_000, 0));
    assert_eq!(flagr.repeated(), 0);
}

/// Asks until it is answered so; gives how often it was taken.
async fn exposed_until(sidecar: &vexilla::Sidecar, status: u16, taken: &mut u32) {
    loop {
        let body = format!(r#"{{"exposures":[{{"flagKey":"a","entityID":"{taken}"}}]}}"#);
        let answered = through(sidecar, "POST /api/v1/exposures", &[JSON], &body).await;
        match answered.status {
            200 => *taken += 1,
            501 => assert_eq!(
                answered.body,
                "\"operation exposure.PostExposures has not yet been implemented\"\n"
            ),
            other => unreachable!("{other}: {}", answered.body),
        }
        if answered.status == status {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_flagr_without_the_path_is_told_of_until_it_has_it() {
    let (flagr, server) = Flagr::start(Mood::Old).await;
    let client = client(&server, Records::Off, hasty()).await;
    let sidecar = client.sidecar(SidecarConfig::default());
    let mut taken = 0;
    exposed_until(&sidecar, 501, &mut taken).await;
    assert!(0 < taken, "nobody knew");
    let evaluation = client.local().evaluate("a", &Context::new("x"));
    let refused = client.expose(&evaluation, &Context::new("x")).await.unwrap_err();
    assert_eq!(refused.kind(), ExposeErrorKind::NoFlagr);
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.queued, counts.rejected, counts.dropped), (u64::from(taken), 2, 0));
    assert!(counts.last_error.unwrap().contains("404 Not Found: Flagr before 1.2.0"));

    flagr.set(Mood::Takes); // it was replaced by a newer one
    exposed_until(&sidecar, 200, &mut taken).await;
    client.stop().await;
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.queued, counts.sent, counts.dropped), (0, u64::from(taken), 0));
    assert_eq!((flagr.repeated(), counts.last_error), (0, None));
}

#[tokio::test]
async fn more_than_a_hundred_go_at_once_where_flagr_takes_them() {
    for (mood, requests) in [(Mood::Takes, 1), (Mood::Limited, 5)] {
        let (flagr, server) = Flagr::start(mood).await;
        let mut config = hasty();
        (config.batch_size, config.interval) = (250, Duration::from_secs(600));
        let client = client(&server, Records::Off, config).await;
        expose(&client, 0..250).await;
        flagr.saw(250).await;
        client.stop().await;
        let counts = client.stats().exposures.unwrap();
        assert_eq!((counts.queued, counts.sent, counts.dropped), (0, 250, 0));
        assert_eq!((flagr.seen.borrow().1, flagr.repeated()), (requests, 0), "{mood:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_takes_no_large_bodies_blocks_neither_queue() {
    let (flagr, server) = Flagr::start(Mood::BehindAGateway).await;
    let mut config = hasty();
    (config.interval, config.flush_limit) = (Duration::from_secs(600), Duration::from_secs(600));
    let client = client(&server, Records::Replay, config).await;
    for entity in 0..60 {
        assert!(client.local().bool("a", &Context::new(format!("r{entity}")), false));
    }
    expose(&client, 0..60).await;
    client.stop().await;
    let stats = client.stats();
    // What is exposed was evaluated too, once.
    for (counts, sent) in [(stats.exposures.unwrap(), 60), (stats.replays.unwrap(), 61)] {
        assert_eq!((counts.queued, counts.sent, counts.dropped), (0, sent, 0), "{counts:?}");
    }
    assert_eq!((flagr.seen.borrow().0.len(), flagr.repeated()), (121, 0));
}

/// The answer is lost, so it is sent again: that is what the documentation says.
#[tokio::test]
async fn an_answer_that_is_none_leads_to_another_attempt() {
    let (flagr, server) = Flagr::start(Mood::NotJson).await;
    let client = client(&server, Records::Off, hasty()).await;
    expose(&client, 0..10).await;
    flagr.was_asked(3).await;
    flagr.set(Mood::Takes);
    client.stop().await;
    assert_eq!(client.stats().exposures.unwrap().sent, 10);
    assert!(flagr.repeated() >= 10);
}

#[tokio::test]
async fn a_flagr_that_lies_about_rows_costs_none() {
    let (_flagr, server) = Flagr::start(Mood::Lies).await;
    let client = client(&server, Records::Off, hasty()).await;
    expose(&client, 0..10).await;
    client.stop().await;
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.sent, counts.dropped, counts.row_errors), (10, 0, 0));
}

#[tokio::test]
async fn rows_that_flagr_refuses_are_in_the_statistics() {
    let (_flagr, server) = Flagr::start(Mood::RefusesSome).await;
    let mut config = hasty();
    config.interval = Duration::from_secs(600);
    let client = client(&server, Records::Off, config).await;
    expose(&client, 0..10).await;
    client.stop().await;
    let counts = client.stats().exposures.unwrap();
    assert_eq!((counts.sent, counts.dropped, counts.row_errors), (9, 1, 1));
}

#[tokio::test]
async fn both_ways_in_lead_through_one_queue() {
    let (flagr, server) = Flagr::start(Mood::Takes).await;
    let mut config = hasty();
    config.interval = Duration::from_secs(600);
    let client = client(&server, Records::Off, config).await;
    expose(&client, 0..2).await;
    let sidecar = client.sidecar(SidecarConfig::default());
    let body =
        r#"{"exposures":[{"flagKey":"a","entityID":"http"},{"flagKey":"b","entityID":"x"}]}"#;
    let answered = through(&sidecar, "POST /api/v1/exposures", &[JSON], body).await;
    let expected = "{\"errors\":[{\"index\":1,\"message\":\"flag not found\"}],\"message\":\"Exposures logged successfully\"}\n";
    assert_eq!((answered.status, answered.body.as_str()), (200, expected));
    client.stop().await;
    assert_eq!(flagr.seen.borrow().1, 1, "one batch");
    assert_eq!(flagr.seen.borrow().0.len(), 3);
}

#[tokio::test]
async fn evaluations_are_decided_here_and_flagr_records_them_later() {
    let (flagr, server) = Flagr::start(Mood::Unwell).await;
    let client = client(&server, Records::Replay, hasty()).await;
    for entity in 0..250 {
        let ctx = Context::new(entity.to_string());
        assert!(client.local().bool("a", &ctx, false));
    }
    let handle = client.flag("a");
    assert!(handle.bool(&Context::new("250"), false));
    let sidecar = client.sidecar(SidecarConfig::default());
    let body = r#"{"flagKey":"a","entityID":"251"}"#;
    let answered = through(&sidecar, "POST /api/v1/evaluation", &[JSON], body).await;
    assert_eq!(answered.headers["x-vexilla-source"], "local");
    flagr.was_asked(2).await;
    let counts = client.stats().replays.unwrap();
    assert_eq!((counts.queued, counts.dropped), (252, 0));

    flagr.set(Mood::Takes);
    flagr.saw(252).await;
    client.stop().await;
    let counts = client.stats().replays.unwrap();
    assert_eq!((counts.queued, counts.sent, counts.dropped), (0, 252, 0));
    assert_eq!((flagr.repeated(), client.stats().lost_records), (0, 0));
}

#[tokio::test]
async fn without_that_policy_nothing_is_replayed() {
    let (flagr, server) = Flagr::start(Mood::Takes).await;
    let client = client(&server, Records::Off, hasty()).await;
    assert!(client.local().bool("a", &Context::new("u"), false));
    client.stop().await;
    assert_eq!((client.stats().replays, flagr.seen.borrow().1), (None, 0));
}

#[cfg(feature = "disk")]
mod spooled {
    use super::*;
    use vexilla::StartError;

    fn spooled(folder: &Path) -> ExposureConfig {
        let mut config = hasty();
        config.spool = Some(folder.to_owned());
        config
    }

    #[tokio::test]
    async fn what_could_not_be_sent_waits_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (flagr, server) = Flagr::start(Mood::Unwell).await;
        let first = client(&server, Records::Replay, spooled(folder.path())).await;
        expose(&first, 0..2_000).await;
        first.stop().await;
        let stats = first.stats();
        let counts = stats.exposures.unwrap();
        assert_eq!((counts.queued, counts.sent, counts.dropped), (2_000, 0, 0));
        assert_eq!(stats.replays.unwrap().queued, 1);

        flagr.set(Mood::Takes);
        let second = client(&server, Records::Replay, spooled(folder.path())).await;
        assert!(second.stats().exposures.unwrap().queued > 0);
        flagr.saw(2_001).await;
        second.stop().await;
        let counts = second.stats().exposures.unwrap();
        assert_eq!((counts.queued, counts.sent, counts.dropped), (0, 2_000, 0));
        assert_eq!(flagr.repeated(), 0);
    }

    #[tokio::test]
    async fn the_oldest_are_dropped_when_the_spool_is_full_and_each_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (flagr, server) = Flagr::start(Mood::Unwell).await;
        let mut config = spooled(folder.path());
        config.spool_bytes = 64 << 10;
        let client = client(&server, Records::Off, config).await;
        expose(&client, 0..3_000).await;
        let counts = client.stats().exposures.unwrap();
        assert!(counts.dropped > 1_000, "{counts:?}");
        assert_eq!(counts.queued + counts.dropped, 3_000);

        flagr.set(Mood::Takes);
        let newest = usize::try_from(counts.queued).unwrap();
        flagr.saw(newest).await;
        client.stop().await;
        let after = client.stats().exposures.unwrap();
        assert_eq!((after.queued, after.sent + after.dropped), (0, 3_000));
        let seen = flagr.seen.borrow();
        assert!((3_000 - counts.queued..3_000).all(|it| seen.0.contains_key(&it.to_string())));
    }

    #[tokio::test]
    async fn a_spool_that_cannot_be_had_is_an_error_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let (_flagr, server) = Flagr::start(Mood::Takes).await;
        let held = client(&server, Records::Off, spooled(folder.path())).await;
        let builder = || Client::builder().flagr(server.uri());
        let refused = builder().exposures(spooled(folder.path())).start().await.unwrap_err();
        assert!(matches!(refused, StartError::Spool(_)), "{refused}");
        assert!(refused.to_string().contains("is used by another process"), "{refused}");
        held.stop().await;

        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = builder().exposures(spooled(&file)).start().await.unwrap_err();
        assert!(matches!(refused, StartError::Spool(_)), "{refused}");
    }

    #[tokio::test]
    async fn an_exposure_that_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let (flagr, server) = Flagr::start(Mood::Unwell).await;
        let client = client(&server, Records::Off, spooled(&path)).await;
        expose(&client, 0..3).await;
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::write(&path, "no folder").unwrap();
        let evaluation = client.local().evaluate("a", &Context::new("x"));
        let refused = client.expose(&evaluation, &Context::new("3")).await.unwrap_err();
        assert_eq!(refused.kind(), ExposeErrorKind::Unavailable);
        assert!(refused.to_string().contains("cannot be used"), "{refused}");

        std::fs::remove_file(&path).unwrap();
        flagr.set(Mood::Takes);
        expose(&client, 4..5).await;
        client.stop().await;
        let counts = client.stats().exposures.unwrap();
        assert_eq!((counts.queued, counts.sent + counts.dropped), (0, 4));
        assert!(flagr.seen.borrow().0.contains_key("4"));
    }

    /// Others had to make room for it before that was known.
    #[tokio::test]
    async fn what_is_dropped_for_one_that_cannot_be_written_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (_flagr, server) = Flagr::start(Mood::Unwell).await;
        let mut config = spooled(folder.path());
        config.spool_bytes = 64 << 10;
        let first = client(&server, Records::Off, config.clone()).await;
        expose(&first, 0..3_000).await;
        first.stop().await;
        let before = first.stats().exposures.unwrap();

        let second = client(&server, Records::Off, config).await;
        // Where it would be written.
        let next = folder.path().join("exposures").join(format!("{:020}.spool", 3_001));
        std::fs::create_dir(next).unwrap();
        let evaluation = second.local().evaluate("a", &Context::new("x"));
        let large = Context::new("x").with("page", "x".repeat(30_000));
        let refused = second.expose(&evaluation, &large).await.unwrap_err();
        assert_eq!(refused.kind(), ExposeErrorKind::Unavailable);
        let after = second.stats().exposures.unwrap();
        assert!(before.dropped + 20 < after.dropped, "{before:?} {after:?}");
        assert_eq!((after.queued + after.dropped, after.rejected), (3_000, 1));
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    for (change, expected) in [
        (
            (|it| it.batch_size = 0) as fn(&mut ExposureConfig),
            "configuration: exposures.batch_size: `0` must be at least 1",
        ),
        (|it| it.queue = 0, "configuration: exposures.queue: `0` must be at least 1"),
        (
            |it| it.interval = Duration::ZERO,
            "configuration: exposures.interval: `0s` must be longer than zero",
        ),
        (
            |it| it.flush_limit = Duration::from_secs(1 << 40),
            "configuration: exposures.flush_limit: `1099511627776s` must be at most a day",
        ),
        (
            |it| it.retry_max = Duration::from_millis(1),
            "configuration: exposures.retry_max: must not be shorter than `exposures.retry_base`",
        ),
        #[cfg(feature = "disk")]
        (
            |it| it.spool_bytes = 1,
            "configuration: exposures.spool_bytes: `1` must be at least 65536",
        ),
    ] {
        let mut config = ExposureConfig::default();
        change(&mut config);
        let builder = Client::builder().flags_file("none.json").exposures(config);
        assert_eq!(builder.start().await.unwrap_err().to_string(), expected);
    }
}
