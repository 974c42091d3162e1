//! OpenFeature's remote evaluation protocol, in process.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{
    Answer, DebugLog, Evaluation, FlagHead, FlagId, Freshness, Reason, Revision, SegmentId,
    SnapshotId, Source, Value, VariantHead, VariantId,
};
use vexilla_server::SidecarConfig;

use crate::fake::{Answered, FakeOperator, Rig};

const FLAG: &str = "/ofrep/v1/evaluate/flags/shop";
pub(crate) const FLAGS: &str = "/ofrep/v1/evaluate/flags";

pub(crate) fn answer(key: &str, variant: Option<(&str, &str)>, reason: Reason) -> Answer {
    let head = |(key, attachment): (&str, &str)| VariantHead {
        id: VariantId(4),
        key: key.into(),
        attachment: match read_value(serde_json::from_str(attachment).unwrap(), Numbers::AsWritten)
        {
            Ok(Value::Object(object)) => Some(Arc::new(object)),
            _ => None,
        },
    };
    let evaluation = Evaluation {
        flag: Some(FlagHead {
            id: FlagId(3),
            key: key.into(),
            snapshot_id: SnapshotId(9),
            ..FlagHead::default()
        }),
        variant_id: VariantId(variant.map_or(0, |_| 4)),
        variant: variant.map(head),
        segment_id: SegmentId(variant.map_or(0, |_| 5)),
        reason,
        source: Source::Local,
        freshness: Freshness {
            revision: Revision { epoch: 1, sequence: 1 },
            ..Freshness::default()
        },
    };
    Answer { evaluation, entity_id: "u".into(), log: DebugLog::default() }
}

pub(crate) fn rig(change: impl FnOnce(&mut SidecarConfig), keys: &[&str]) -> Rig {
    let rig =
        Rig::with(change, |parts| parts.with_operator(Arc::new(FakeOperator::with_flags(keys))));
    rig.publish(1, "{\"Flags\":[]}\n");
    rig
}

pub(crate) fn script(rig: &Rig, answers: impl IntoIterator<Item = Answer>) {
    *rig.engine.answers.lock().unwrap() = answers.into_iter().collect();
}

fn body(answered: &Answered) -> Json {
    serde_json::from_str(&answered.body).unwrap()
}

#[tokio::test]
async fn a_value_comes_with_what_is_known_of_it() {
    let rig = rig(|_| {}, &[]);
    script(&rig, [answer("shop", Some(("red", r#"{"value":1.50}"#)), Reason::TargetingMatch)]);
    let answered =
        rig.post(FLAG, r#"{"context":{"targetingKey":"u","country":"US","x":1.50}}"#).await;
    assert_eq!((answered.status, &*answered.content_type), (200, "application/json"));
    assert_eq!(
        answered.body,
        r#"{"key":"shop","reason":"TARGETING_MATCH","variant":"red","value":1.50,"metadata":{"flagID":3,"flagSnapshotID":9,"segmentID":5,"variantID":4,"reason":"TARGETING_MATCH","revision":"1.1","source":"local"}}"#
    );
    assert_eq!(answered.headers["x-vexilla-source"], "local");
    let asked = rig.engine.asked.lock().unwrap().join("");
    assert!(asked.contains(r#"FlagRef { id: 0, key: "shop" }"#), "{asked}");
    assert!(asked.contains(r#"entity_id: "u""#) && asked.contains("country"), "{asked}");
    assert!(!asked.contains("targetingKey"), "{asked}");
}

#[tokio::test]
async fn values_follow_the_untyped_rule() {
    let as_text = rig(|config| config.ofrep_boolean_keys = false, &[]);
    let rig = rig(|_| {}, &[]);
    for (key, attachment, expected) in [
        ("on", r#"{"value":{"a":[1]},"enabled":false}"#, json!({"a":[1]})),
        ("on", r#"{"value":false}"#, json!(false)),
        ("on", r#"{"value":null,"enabled":false}"#, json!(false)),
        ("red", r#"{"enabled":true}"#, json!(true)),
        ("on", r#"{"enabled":"no"}"#, json!(true)),
        ("on", "null", json!(true)),
        ("true", "{}", json!(true)),
        ("off", "{}", json!(false)),
        ("false", "{}", json!(false)),
        ("On", "{}", json!("On")),
        ("1", "{}", json!("1")),
    ] {
        script(&rig, [answer("shop", Some((key, attachment)), Reason::Static)]);
        let value = body(&rig.post(FLAG, "{}").await);
        assert_eq!((&value["value"], &value["variant"]), (&expected, &json!(key)), "{attachment}");
    }
    script(&as_text, [answer("shop", Some(("on", "{}")), Reason::Static)]);
    assert_eq!(body(&as_text.post(FLAG, "{}").await)["value"], "on");
}

#[tokio::test]
async fn reasons_are_openfeatures() {
    let rig = rig(|_| {}, &[]);
    let entity = r#"{"context":{"targetingKey":"u"}}"#;
    for (reason, with_variant, expected) in [
        (Reason::Static, true, "STATIC"),
        (Reason::TargetingMatch, true, "TARGETING_MATCH"),
        (Reason::Split, true, "SPLIT"),
        (Reason::Fallback, true, "DEFAULT"),
        (Reason::NoMatch, false, "DEFAULT"),
        (Reason::Holdout, false, "DEFAULT"),
        (Reason::NoSegments, false, "DEFAULT"),
        (Reason::Disabled, false, "DISABLED"),
    ] {
        script(&rig, [answer("shop", with_variant.then_some(("a", "{}")), reason)]);
        let value = body(&rig.post(FLAG, entity).await);
        assert_eq!(value["reason"], expected);
        let has_value = value.as_object().unwrap().contains_key("value");
        assert_eq!(has_value, with_variant, "no variant, no value: {value}");
        assert_eq!(value["metadata"]["reason"], reason.as_str());
    }
    let mut cached = answer("shop", Some(("a", "{}")), Reason::Static);
    cached.evaluation.source = Source::RemoteCached;
    let mut stale = answer("shop", Some(("a", "{}")), Reason::Static);
    stale.evaluation.freshness.stale = true;
    for (answer, expected) in [(cached, "CACHED"), (stale, "STALE")] {
        script(&rig, [answer]);
        assert_eq!(body(&rig.post(FLAG, entity).await)["reason"], expected);
    }
}

#[tokio::test]
async fn what_has_no_value_says_why() {
    let rig = rig(|_| {}, &[]);
    let anonymous = r#"{"context":{}}"#;
    for (reason, sent, status, code) in [
        (Reason::NotFound, anonymous, 404, "FLAG_NOT_FOUND"),
        (Reason::Filtered, anonymous, 404, "FLAG_NOT_FOUND"),
        (Reason::Error, anonymous, 500, "GENERAL"),
        (Reason::Fallback, anonymous, 500, "GENERAL"),
        (Reason::NeedsRemote, anonymous, 500, "GENERAL"),
        (Reason::Split, anonymous, 400, "TARGETING_KEY_MISSING"),
        (Reason::Holdout, anonymous, 400, "TARGETING_KEY_MISSING"),
        (Reason::Static, "", 400, "PARSE_ERROR"),
        (Reason::Static, "{", 400, "PARSE_ERROR"),
        (Reason::Static, "{} x", 400, "PARSE_ERROR"),
        (Reason::Static, "[]", 400, "PARSE_ERROR"),
        (Reason::Static, r#"{"context":[]}"#, 400, "INVALID_CONTEXT"),
        (Reason::Static, r#"{"context":{"targetingKey":5}}"#, 400, "INVALID_CONTEXT"),
    ] {
        script(&rig, [answer("shop", None, reason)]);
        let answered = rig.post(FLAG, sent).await;
        let value = body(&answered);
        assert_eq!((answered.status, &value["errorCode"]), (status, &json!(code)), "{sent}");
        assert_eq!(value["key"], "shop", "{sent}");
        assert!(value["errorDetails"].is_string(), "{sent}");
    }
    let broken = rig.post(FLAG, &b"{\"context\":{\"a\":\"\xff\"}}"[..]).await;
    assert_eq!((broken.status, &body(&broken)["errorCode"]), (400, &json!("PARSE_ERROR")));
}

#[tokio::test]
async fn what_flagr_drew_for_nobody_is_no_value() {
    let operator = Arc::new(FakeOperator::with_flags(&["shop"]));
    let rig = Rig::with(|_| {}, |parts| parts.with_operator(operator.clone()));
    rig.publish(1, "{\"Flags\":[]}\n");
    for source in [Source::Remote, Source::RemoteCached] {
        for (reason, sent, status) in [
            (Some(Reason::Split), r#"{"context":{}}"#, 400),
            (Some(Reason::Holdout), r#"{"context":{"targetingKey":""}}"#, 400),
            (Some(Reason::Split), r#"{"context":{"targetingKey":"u"}}"#, 200),
            (Some(Reason::Static), r#"{"context":{}}"#, 200),
            (None, r#"{"context":{}}"#, 200),
        ] {
            *operator.reason.lock().unwrap() = reason;
            // Flagr gives the variant, and does not say how it came to it.
            let mut given = answer("shop", Some(("a", "{}")), Reason::TargetingMatch);
            given.evaluation.source = source;
            script(&rig, [given.clone(), given]);
            let single = rig.post(FLAG, sent).await;
            assert_eq!(single.status, status, "{reason:?} {sent}");
            let code = (status == 400).then_some("TARGETING_KEY_MISSING");
            assert_eq!(body(&single)["errorCode"].as_str(), code, "{reason:?} {sent}");
            let bulk = body(&rig.post(FLAGS, sent).await);
            assert_eq!(bulk["flags"][0]["errorCode"].as_str(), code, "{reason:?} {sent}");
        }
    }
}

#[tokio::test]
async fn a_key_is_unescaped() {
    let rig = rig(|_| {}, &[]);
    let answered = rig.post("/ofrep/v1/evaluate/flags/a%2Fb+%C3%A9", "{}").await;
    assert_eq!((answered.status, &body(&answered)["key"]), (404, &json!("a/b+é")));
}

#[tokio::test]
async fn refusals_are_in_the_same_protocol() {
    let rig = rig(
        |config| {
            config.max_body_bytes = 20;
            config.max_concurrent_requests = 0;
        },
        &["a"],
    );
    for path in [FLAG, FLAGS] {
        let answered = rig.post(path, "x".repeat(21)).await;
        assert_eq!(answered.status, 413);
        assert!(body(&answered)["errorDetails"].is_string());
    }
    let unready = Rig::new(|_| {});
    let answered = unready.post(FLAG, "{}").await;
    assert_eq!((answered.status, &*answered.headers["retry-after"]), (503, "1"));
    assert_eq!(body(&answered)["errorDetails"], "no flags are loaded yet");
    unready.publish(1, "");
    assert_eq!(unready.post(FLAGS, "{}").await.status, 501, "nobody lists the flags");
    let off = Rig::new(|config| config.ofrep = false);
    assert_eq!(off.post(FLAG, "{}").await.status, 404);
}

pub(crate) fn three() -> [Answer; 3] {
    [
        answer("a", Some(("on", "{}")), Reason::Static),
        answer("b", None, Reason::Disabled),
        answer("c", Some(("x", "{}")), Reason::Split),
    ]
}

#[tokio::test]
async fn all_flags_come_at_once() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    script(&rig, three());
    let answered = rig.post(FLAGS, r#"{"context":{"plan":"pro"}}"#).await;
    assert_eq!(answered.status, 200);
    let value = body(&answered);
    let told: Vec<_> = value["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["key"].as_str(), it["reason"].as_str(), it["errorCode"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("a"), Some("STATIC"), None),
            (Some("b"), Some("DISABLED"), None),
            (Some("c"), None, Some("TARGETING_KEY_MISSING")),
        ]
    );
    let asked = rig.engine.asked.lock().unwrap().join("");
    assert!(asked.contains("flag_ids: [1, 2, 3]"), "{asked}");
}

#[tokio::test]
async fn a_flag_that_went_meanwhile_is_left_out() {
    let rig = rig(|_| {}, &["a", "b"]);
    script(&rig, [answer("a", Some(("on", "{}")), Reason::Static)]);
    let value = body(&rig.post(FLAGS, "{}").await);
    assert_eq!(value["flags"].as_array().unwrap().len(), 1, "{value}");
}

#[tokio::test]
async fn a_bulk_answer_is_whole_or_refused() {
    let keys: Vec<String> = (0..1_000).map(|it| format!("flag-{it}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let all = || keys.iter().map(|it| answer(it, Some(("on", "{}")), Reason::Static));
    let whole = rig(|_| {}, &keys);
    script(&whole, all());
    let answered = whole.post(FLAGS, "{}").await;
    assert_eq!(body(&answered)["flags"].as_array().unwrap().len(), 1_000);
    for (most, status) in [(answered.body.len(), 200), (1_000, 400)] {
        let rig = rig(|config| config.max_answer_bytes = most, &keys);
        script(&rig, all());
        assert_eq!(rig.post(FLAGS, "{}").await.status, status);
    }
}

#[tokio::test]
async fn of_several_flags_the_header_tells_what_is_furthest_from_the_usual() {
    let keys = ["a", "b", "c"];
    let batch = r#"{"entities":[{"entityID":"u"}],"flagKeys":["a","b","c"]}"#;
    for (sources, told) in [
        ([Source::Local, Source::Local, Source::Local], "local"),
        ([Source::Local, Source::RemoteCached, Source::Local], "remote_cached"),
        ([Source::Remote, Source::Local, Source::RemoteCached], "remote"),
        ([Source::Local, Source::Standby, Source::Remote], "standby"),
        ([Source::Fallback, Source::Standby, Source::Local], "fallback"),
    ] {
        for (path, sent) in [(FLAGS, "{}"), ("/api/v1/evaluation/batch", batch)] {
            let rig = rig(|_| {}, &keys);
            let answers = keys.iter().zip(sources).map(|(key, source)| {
                let mut answer = answer(key, Some(("on", "{}")), Reason::Static);
                answer.evaluation.source = source;
                answer
            });
            script(&rig, answers);
            let answered = rig.post(path, sent).await;
            assert_eq!(answered.headers["x-vexilla-source"], told, "{path} {sources:?}");
        }
    }
}

#[tokio::test]
async fn another_method_is_refused_in_the_same_protocol() {
    let off = Rig::new(|config| config.ofrep = false);
    let rig = rig(|_| {}, &[]);
    for path in [FLAG, FLAGS] {
        for method in ["GET", "PUT", "OPTIONS"] {
            let (status, headers, body) = rig.ask(method, path, &[]).await;
            assert_eq!((status, &*headers["allow"]), (405, "POST"), "{method} {path}");
            let body: Json = serde_json::from_slice(&body).unwrap();
            let details = format!("method {method} is not allowed, but [POST] are");
            assert_eq!(body, json!({"errorDetails": details}));
        }
        assert_eq!(off.ask("GET", path, &[]).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn web_providers_may_send_and_read_what_they_need() {
    let rig = rig(|_| {}, &[]);
    let asked = |path: &'static str| {
        let headers = [
            ("origin", "http://example.org"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,if-none-match,x-api-key"),
        ];
        (path, headers)
    };
    for ((path, headers), allowed) in [(asked(FLAGS), true), (asked("/api/v1/evaluation"), false)] {
        let (status, answered, _) = rig.ask("OPTIONS", path, &headers).await;
        assert_eq!((status, answered.contains_key("access-control-allow-headers")), (204, allowed));
    }
    let (_, headers, _) = rig.ask("POST", FLAGS, &[("origin", "http://example.org")]).await;
    assert_eq!(headers["access-control-expose-headers"], "Www-Authenticate, ETag, Retry-After");
}
