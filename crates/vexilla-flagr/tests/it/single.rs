//! One flag, read past any lag.

use vexilla_domain::{Flag, FlagId, FlagRef, FlagSource, FlagState, SourceErrorKind};
use vexilla_flagr::FlagrSource;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, ResponseTemplate};

use crate::flagr::{FLAGS, Flagr, MAX_ID, json, max_id};

const SNAPSHOTS: &str = "/api/v1/flags/3/snapshots";
const FLAG: &str = "/api/v1/flags/3";

/// A flag, and its snapshots.
fn flag(key: &str) -> String {
    format!(r#"{{"id":3,"key":"{key}","enabled":true,"variants":[{{"id":1,"key":"on"}}]}}"#)
}

fn snapshots(rows: &[(u64, &str)]) -> ResponseTemplate {
    let row = |&(id, key): &(u64, &str)| {
        format!(r#"{{"flag":{},"id":{id},"updatedAt":"2026-11-22T19:59:37Z"}}"#, flag(key))
    };
    json(&format!("[{}]\n", rows.iter().map(row).collect::<Vec<_>>().join(",")))
}

fn gone() -> ResponseTemplate {
    let body = "{\"message\":\"unable to find flag 3 in the database\"}\n";
    ResponseTemplate::new(404).set_body_raw(body, "application/json")
}

/// A Flagr that says this of snapshots and of the flag, and has 20 as its largest snapshot id.
async fn flagr(snapshots: ResponseTemplate, flag: ResponseTemplate) -> Flagr {
    let flagr = Flagr::start().await;
    flagr.answer(SNAPSHOTS, snapshots).await;
    flagr.answer(FLAG, flag).await;
    flagr.answer(MAX_ID, max_id(20)).await;
    flagr
}

async fn by_id(source: &FlagrSource) -> FlagState {
    source.fetch_flag(FlagRef { id: 3, key: "" }).await.unwrap()
}

async fn by_key(source: &FlagrSource, key: &str) -> FlagState {
    source.fetch_flag(FlagRef { id: 0, key }).await.unwrap()
}

fn found(state: FlagState) -> Flag {
    let FlagState::Found(flag) = state else { panic!("{state:?}") };
    *flag
}

#[tokio::test]
async fn a_flag_comes_with_its_number() {
    let flagr = flagr(snapshots(&[(9, "k")]), json(&flag("k"))).await;
    let found = found(by_id(&flagr.source()).await);
    assert_eq!((found.id.0, &*found.key, found.snapshot_id.0), (3, "k", 9));
    assert_eq!(found.variants.len(), 1);
    assert_eq!(flagr.paths().await, [&format!("{SNAPSHOTS}?limit=1"), FLAG]);
    // The id goes before the key, whatever that is now.
    let state = flagr.source().fetch_flag(FlagRef { id: 3, key: "old" }).await.unwrap();
    assert_eq!(state, FlagState::Found(Box::new(found)));
}

#[tokio::test]
async fn a_change_between_the_two_requests_does_not_mix_body_and_number() {
    let flagr = flagr(snapshots(&[(9, "before")]), json(&flag("after"))).await;
    let found = found(by_id(&flagr.source()).await);
    assert_eq!((&*found.key, found.snapshot_id.0), ("before", 9));
}

#[tokio::test]
async fn the_date_of_the_last_change_is_the_flags_own() {
    let dated = |at: &str| flag("k").replacen('{', &format!(r#"{{"updatedAt":"{at}","#), 1);
    let (before, own) = ("2026-11-22T19:59:36.1Z", "2026-11-22T19:59:37.565Z");
    let snapshots = json(&format!(r#"[{{"id":9,"flag":{}}}]"#, dated(before)));
    for (flag, at) in [(dated(own), own), (dated("odd"), before), (flag("k"), before)] {
        let flagr = flagr(snapshots.clone(), json(&flag)).await;
        assert_eq!(found(by_id(&flagr.source()).await).times.updated_at.as_str(), at);
    }
}

#[tokio::test]
async fn servers_that_give_all_snapshots_give_the_newest_first() {
    let flagr = flagr(snapshots(&[(9, "new"), (8, "old"), (2, "older")]), json(&flag("new"))).await;
    let found = found(by_id(&flagr.source()).await);
    assert_eq!((&*found.key, found.snapshot_id.0), ("new", 9));
}

#[tokio::test]
async fn a_deleted_flag_still_has_snapshots() {
    let flagr = flagr(snapshots(&[(19, "k")]), gone()).await;
    assert_eq!(by_id(&flagr.source()).await, FlagState::Gone { id: FlagId(3), newest: 20 });
    let asked = flagr.paths().await;
    assert_eq!(asked, [&format!("{SNAPSHOTS}?limit=1"), FLAG, MAX_ID], "the number comes last");

    // Restored, it has a larger number.
    flagr.forget().await;
    flagr.answer(SNAPSHOTS, snapshots(&[(21, "k"), (19, "k")])).await;
    flagr.answer(FLAG, json(&flag("k"))).await;
    assert_eq!(found(by_id(&flagr.source()).await).snapshot_id.0, 21);
}

#[tokio::test]
async fn a_flag_that_never_was_is_gone_too() {
    let flagr = flagr(snapshots(&[]), gone()).await;
    assert_eq!(by_id(&flagr.source()).await, FlagState::Gone { id: FlagId(3), newest: 20 });
}

#[tokio::test]
async fn where_there_is_no_number_none_is_told() {
    for no_number in [ResponseTemplate::new(404), json("{}\n")] {
        let flagr = Flagr::start().await;
        flagr.answer(SNAPSHOTS, snapshots(&[])).await;
        flagr.answer(FLAG, gone()).await;
        flagr.answer(MAX_ID, no_number).await;
        assert_eq!(by_id(&flagr.source()).await, FlagState::Gone { id: FlagId(3), newest: 0 });
    }
}

#[tokio::test]
async fn a_key_is_looked_up() {
    let flagr = flagr(snapshots(&[(9, "a/b:c&d")]), json(&flag("a/b:c&d"))).await;
    let row = |id, key: &str| format!(r#"{{"id":{id},"key":"{key}"}}"#);
    // Some databases take keys for the same that differ in case, and old servers give all flags.
    let rows = [row(1, "A/B:C&D"), row(3, "a/b:c&d"), row(4, "other")].join(",");
    Mock::given(method("GET"))
        .and(path(FLAGS))
        .and(query_param("key", "a/b:c&d"))
        .respond_with(json(&format!("[{rows}]")))
        .mount(&flagr.0)
        .await;
    flagr.answer(FLAGS, json("[]\n")).await;
    let source = flagr.source();
    let found = found(by_key(&source, "a/b:c&d").await);
    assert_eq!((found.id.0, found.snapshot_id.0), (3, 9));
    assert_eq!(flagr.paths().await[0], format!("{FLAGS}?key=a%2Fb%3Ac%26d"));
    assert_eq!(by_key(&source, "none").await, FlagState::Gone { id: FlagId(0), newest: 20 });
    assert_eq!(by_key(&source, "").await, FlagState::Unknown, "no flag was named");
}

#[tokio::test]
async fn a_flag_that_is_found_by_its_key_and_deleted_then_is_gone() {
    let flagr = flagr(snapshots(&[(19, "k")]), gone()).await;
    flagr.answer(FLAGS, json(&format!("[{}]", flag("k")))).await;
    assert_eq!(by_key(&flagr.source(), "k").await, FlagState::Gone { id: FlagId(3), newest: 20 });
}

#[tokio::test]
async fn a_server_that_does_not_tell_is_not_one_without_the_flag() {
    let path_not_found = r#"{"code":404,"message":"path /api/v1/flags/3 was not found"}"#;
    let closed = [
        ResponseTemplate::new(501).set_body_raw("\"operation …\"\n", "application/json"),
        ResponseTemplate::new(404).set_body_raw(path_not_found, "application/json"),
        ResponseTemplate::new(404).set_body_raw("404 page not found", "text/plain"),
        ResponseTemplate::new(401),
        ResponseTemplate::new(403),
        ResponseTemplate::new(307).insert_header("location", "/login"),
        ResponseTemplate::new(405),
    ];
    for closed in closed {
        let flagr = flagr(closed.clone(), closed.clone()).await;
        flagr.answer(FLAGS, closed.clone()).await;
        assert_eq!(by_id(&flagr.source()).await, FlagState::Unknown);
        assert_eq!(by_key(&flagr.source(), "k").await, FlagState::Unknown);
        // Only one of the two closed.
        let half = self::flagr(snapshots(&[(9, "k")]), closed).await;
        assert_eq!(by_id(&half.source()).await, FlagState::Unknown);
    }
    // A flag whose snapshots were thrown away has no number, and one that cannot be read is left to the read of all.
    let bad = json(r#"[{"id":9,"flag":{"id":3,"key":"k","segments":"odd"}}]"#);
    for snapshots in [snapshots(&[]), bad] {
        let flagr = flagr(snapshots, json(&flag("k"))).await;
        assert_eq!(by_id(&flagr.source()).await, FlagState::Unknown);
    }
    let flagr = Flagr::start().await;
    let no_id = r#"{"code":601,"message":"flagID in path must be of type int64"}"#;
    let no_id = ResponseTemplate::new(422).set_body_raw(no_id, "application/json");
    flagr.answer("/api/v1/flags/18446744073709551615/snapshots", no_id).await;
    let state = flagr.source().fetch_flag(FlagRef { id: u64::MAX, key: "" }).await.unwrap();
    assert_eq!(state, FlagState::Unknown);
}

#[tokio::test]
async fn failures_are_no_news_of_the_flag() {
    use SourceErrorKind::{Invalid, Unavailable};
    let html = || ResponseTemplate::new(200).set_body_raw("<html>", "text/html");
    let good = || (snapshots(&[(9, "k")]), json(&flag("k")));
    for (snapshots, flag, kind) in [
        (ResponseTemplate::new(500), good().1, Unavailable),
        (good().0, ResponseTemplate::new(500), Unavailable),
        (html(), good().1, Invalid),
        (good().0, html(), Invalid),
        (json("{}"), good().1, Invalid),
        (json(r#"[{"id":9,"flag":{"id":4,"key":"k"}}]"#), good().1, Invalid),
        (good().0, json(r#"{"id":4,"key":"k"}"#), Invalid),
        (good().0, json("[]"), Invalid),
    ] {
        let flagr = flagr(snapshots, flag).await;
        let error = flagr.source().fetch_flag(FlagRef { id: 3, key: "" }).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    // Without the number it cannot be said since when a flag is gone.
    let flagr = Flagr::start().await;
    flagr.answer(SNAPSHOTS, snapshots(&[])).await;
    flagr.answer(FLAG, gone()).await;
    flagr.answer(MAX_ID, ResponseTemplate::new(500)).await;
    flagr.source().fetch_flag(FlagRef { id: 3, key: "" }).await.unwrap_err();
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let flagr = flagr(snapshots(&[(9, "k"); 100]), json(&flag("k"))).await;
    let source = flagr.source_with(|it| it.max_export_bytes = 1000);
    let error = source.fetch_flag(FlagRef { id: 3, key: "" }).await.unwrap_err();
    assert_eq!(error.to_string(), format!("GET {SNAPSHOTS}: the answer has more than 1000 bytes"));
}
