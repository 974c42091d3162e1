//! Who has OpenFeature's bulk answer already, and who is to hear something else.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use vexilla_domain::{Answer, Reason, Source};

use crate::fake::Rig;
use crate::ofrep::{FLAGS, answer, rig, script, three};

/// Asks for what a client may have; gives the status, the tag if there is one, and the body.
async fn ask(
    rig: &Rig,
    answers: impl IntoIterator<Item = Answer>,
    context: &str,
    headers: &[(&str, &str)],
) -> (u16, Option<String>, Bytes) {
    script(rig, answers);
    let (status, headers, body) = exchange(rig, context, headers).await;
    (status, headers.get("etag").cloned(), body)
}

async fn exchange(
    rig: &Rig,
    context: &str,
    headers: &[(&str, &str)],
) -> (u16, BTreeMap<String, String>, Bytes) {
    let mut request = http::Request::post(FLAGS);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = format!(r#"{{"context":{context}}}"#);
    rig.exchange(request.body(Full::new(body.into())).unwrap()).await
}

const USER: &str = r#"{"targetingKey":"u","a":1}"#;

#[tokio::test]
async fn who_has_all_flags_for_a_context_does_not_get_them_again() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    let (status, tag, _) = ask(&rig, three(), USER, &[]).await;
    let tag = tag.unwrap();
    assert_eq!(status, 200);
    rig.engine.asked.lock().unwrap().clear();
    let known = [("if-none-match", &*tag)];
    let reordered = r#"{"a":1, "targetingKey":"u"}"#;
    let again = ask(&rig, three(), reordered, &known).await;
    assert_eq!(again, (304, Some(tag.clone()), Bytes::new()));
    assert!(rig.engine.asked.lock().unwrap().is_empty(), "no flag was looked at");
    for context in [r#"{"targetingKey":"v","a":1}"#, r#"{"targetingKey":"u","a":2}"#] {
        let (status, other, _) = ask(&rig, three(), context, &known).await;
        assert_eq!(status, 200, "{context}");
        assert_ne!(other.unwrap(), tag, "{context}");
    }
    rig.publish(2, "");
    assert_eq!(ask(&rig, three(), USER, &known).await.0, 200);
}

#[tokio::test]
async fn a_compressed_answer_is_known_by_its_tag_however_often_it_is_asked_for() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    script(&rig, three());
    let gzip = ("accept-encoding", "gzip");
    let (status, mut headers, _) = exchange(&rig, USER, &[gzip]).await;
    assert_eq!((status, &*headers["content-encoding"]), (200, "gzip"));
    let first = headers["etag"].clone();
    for _ in 0..3 {
        let known = headers["etag"].clone();
        let status;
        (status, headers, _) = exchange(&rig, USER, &[gzip, ("if-none-match", &known)]).await;
        assert_eq!((status, &headers["etag"]), (304, &first));
        assert!(!headers.contains_key("content-encoding"));
    }
}

fn of(source: Source, variant: Option<&'static str>, reason: Reason) -> [Answer; 3] {
    let mut answers = three();
    let mut flagrs = answer("b", variant.map(|it| (it, "{}")), reason);
    flagrs.evaluation.source = source;
    answers[1] = flagrs;
    answers
}

#[tokio::test]
async fn what_failed_is_asked_for_again() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    let outage = of(Source::Fallback, None, Reason::Fallback);
    let (status, tag, body) = ask(&rig, outage, USER, &[]).await;
    assert_eq!((status, tag), (200, None));
    assert!(String::from_utf8_lossy(&body).contains("GENERAL"));
    // The same revision, and the tag that the rules alone would give it.
    let (_, of_rules, _) = ask(&rig, three(), USER, &[]).await;
    let of_rules = of_rules.unwrap();
    let back = of(Source::Remote, Some("on"), Reason::TargetingMatch);
    let (status, tag, body) = ask(&rig, back, USER, &[]).await;
    assert_eq!(status, 200);
    assert_ne!(tag.unwrap(), of_rules);
    assert!(!String::from_utf8_lossy(&body).contains("GENERAL"));
    let nobody = ask(&rig, three(), "{}", &[]).await;
    assert_eq!((nobody.0, nobody.1), (200, None), "a rollout without an entity");
}

#[tokio::test]
async fn what_flagr_decides_is_known_by_what_it_says() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    let flagrs = |variant| of(Source::Remote, Some(variant), Reason::TargetingMatch);
    let (_, tag, _) = ask(&rig, flagrs("on"), USER, &[]).await;
    let tag = tag.unwrap();
    let known = [("if-none-match", &*tag)];
    let again = ask(&rig, flagrs("on"), USER, &known).await;
    assert_eq!(again, (304, Some(tag.clone()), Bytes::new()));
    // Flagr changed its mind at the same revision here: it lags, or it reads what is not in the context.
    let (status, other, body) = ask(&rig, flagrs("off"), USER, &known).await;
    assert_eq!(status, 200);
    assert_ne!(other.unwrap(), tag);
    assert!(String::from_utf8_lossy(&body).contains(r#""variant":"off""#));
    let standing_in = of(Source::Standby, Some("on"), Reason::TargetingMatch);
    assert_eq!(ask(&rig, standing_in, USER, &known).await.0, 200);
}

#[tokio::test]
async fn what_is_stale_is_another_answer() {
    let rig = rig(|_| {}, &["a", "b", "c"]);
    let (_, fresh, _) = ask(&rig, three(), USER, &[]).await;
    let fresh = fresh.unwrap();
    let stale = || {
        three().map(|mut it| {
            it.evaluation.freshness.stale = true;
            it
        })
    };
    rig.engine.freshness.lock().unwrap().stale = true;
    let (status, tag, body) = ask(&rig, stale(), USER, &[("if-none-match", &fresh)]).await;
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&body).contains("STALE"));
    let tag = tag.unwrap();
    assert_eq!(ask(&rig, stale(), USER, &[("if-none-match", &tag)]).await.0, 304);
    rig.engine.freshness.lock().unwrap().stale = false;
    let (status, _, body) = ask(&rig, three(), USER, &[("if-none-match", &tag)]).await;
    assert_eq!(status, 200);
    assert!(!String::from_utf8_lossy(&body).contains("STALE"));
}
