//! The ways to read all flags: which one is taken, when it is looked for again, and what goes wrong on it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Barrier;
use vexilla_domain::{Depth, FlagSource, SourceErrorKind, TagsOperator};
use vexilla_flagr::ExportFilter;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, ResponseTemplate};

use crate::flagr::{
    EXPORT, FLAGS, Flagr, MAX_ID, assert_unchanged, changed, error, export, json, max_id, source,
};
use crate::raw::serve_by;

const PRELOADED: &str = "/api/v1/flags?preload=true";

/// A flag in the REST spelling, with a variant and a segment.
fn flag(id: u64) -> String {
    format!(
        r#"{{"id":{id},"key":"f{id}","enabled":true,"tags":[],"segments":[{{"id":{id},"rank":0,"rolloutPercent":100,"constraints":[],"distributions":[]}}],"variants":[{{"id":{id},"key":"on","attachment":{{}}}}]}}"#
    )
}

/// The same as a list without its parts shows it.
fn hollow(id: u64) -> String {
    format!(r#"{{"id":{id},"key":"f{id}","enabled":true,"tags":[],"segments":[],"variants":[]}}"#)
}

fn list(flags: impl IntoIterator<Item = String>) -> ResponseTemplate {
    json(&format!("[{}]\n", flags.into_iter().collect::<Vec<_>>().join(",")))
}

/// Answers `GET /flags` with and without `preload`.
async fn lists(flagr: &Flagr, preloaded: ResponseTemplate, plain: ResponseTemplate) {
    let asked = || Mock::given(method("GET")).and(path(FLAGS));
    asked().and(query_param("preload", "true")).respond_with(preloaded).mount(&flagr.0).await;
    asked().and(query_param_is_missing("preload")).respond_with(plain).mount(&flagr.0).await;
}

/// A Flagr without an export for us.
async fn without_export(refusal: ResponseTemplate, number: ResponseTemplate) -> Flagr {
    let flagr = Flagr::start().await;
    flagr.answer(EXPORT, refusal).await;
    flagr.answer(MAX_ID, number).await;
    flagr
}

fn not_found() -> ResponseTemplate {
    ResponseTemplate::new(404).set_body_raw(
        r#"{"code":404,"message":"path /api/v1/export/eval_cache/json was not found"}"#,
        "application/json",
    )
}

/// A server from before 1.0.15: no export, no numbers, no `preload`; each flag for itself.
async fn old(ids: impl IntoIterator<Item = u64> + Clone) -> Flagr {
    let flagr = without_export(not_found(), not_found()).await;
    let without_parts = || list(ids.clone().into_iter().map(hollow));
    lists(&flagr, without_parts(), without_parts()).await;
    for id in ids {
        flagr.answer(&format!("{FLAGS}/{id}"), json(&flag(id))).await;
    }
    flagr
}

#[tokio::test]
async fn where_the_export_is_refused_the_list_is_read() {
    let refusals = [401, 403, 307, 302, 404, 405, 501].map(ResponseTemplate::new);
    for refusal in refusals.into_iter().chain([not_found()]) {
        let flagr = without_export(refusal, max_id(9)).await;
        lists(&flagr, list([flag(2), flag(1)]), list([hollow(1), hollow(2)])).await;
        let source = flagr.source();
        let fetched = changed(&source, None).await;
        assert_eq!((fetched.keys(), fetched.again_in), (vec!["f1", "f2"], None));
        assert_eq!(fetched.marker.max_snapshot_id, Some(9), "a list has no lag");
        assert!(fetched.document.flags.iter().all(|it| it.segments.len() == 1));
        assert_eq!(flagr.paths().await, [MAX_ID, EXPORT, PRELOADED]);

        assert_unchanged(&source, &fetched.marker).await;
        flagr.forget().await;
        flagr.answer(MAX_ID, max_id(10)).await;
        lists(&flagr, list([flag(3)]), list([])).await;
        let fetched = changed(&source, Some(&fetched.marker)).await;
        assert_eq!((fetched.keys(), fetched.marker.max_snapshot_id), (vec!["f3"], Some(10)));
        assert_eq!(flagr.paths().await, [MAX_ID, PRELOADED], "the way is remembered");
    }
}

#[tokio::test]
async fn a_remembered_way_that_closes_is_left_at_once() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, max_id(9)).await;
    flagr.answer(EXPORT, export(&[9])).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer(EXPORT, ResponseTemplate::new(401)).await;
    lists(&flagr, list([flag(1)]), list([])).await;
    assert_eq!(changed(&source, Some(&seen)).await.count(), (1, Some(10)));
}

#[tokio::test]
async fn after_an_error_and_with_a_full_read_the_best_way_is_looked_for_again() {
    let flagr = without_export(ResponseTemplate::new(403), max_id(9)).await;
    lists(&flagr, list([flag(1)]), list([])).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    lists(&flagr, ResponseTemplate::new(500), list([])).await;
    let error = source.fetch(Some(&seen), Depth::Probe).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    assert_eq!(flagr.paths().await, [MAX_ID, PRELOADED]);

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer(EXPORT, export(&[10])).await;
    let seen = changed(&source, Some(&seen)).await.marker;
    assert_eq!(flagr.paths().await, [MAX_ID, EXPORT]);

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer(EXPORT, ResponseTemplate::new(403)).await;
    lists(&flagr, list([flag(1)]), list([])).await;
    source.fetch(Some(&seen), Depth::Full).await.unwrap();
    source.fetch(Some(&seen), Depth::Full).await.unwrap();
    let climbed = [MAX_ID, EXPORT, PRELOADED];
    assert_eq!(flagr.paths().await, [climbed, climbed].concat());
}

#[tokio::test]
async fn an_eval_only_server_has_an_export_and_no_number() {
    let off = ResponseTemplate::new(501).set_body_raw(
        "\"operation flag.GetFlagSnapshotMaxID has not yet been implemented\"\n",
        "application/json",
    );
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, off).await;
    flagr.answer_times(2, EXPORT, export(&[0, 0])).await;
    flagr.answer(EXPORT, export(&[0])).await;
    let source = flagr.source();
    let first = changed(&source, None).await;
    assert_eq!((first.count(), first.again_in), ((2, None), None));
    assert_unchanged(&source, &first.marker).await;
    assert_eq!(changed(&source, Some(&first.marker)).await.count(), (1, None));
}

#[tokio::test]
async fn the_oldest_servers_are_asked_for_each_flag() {
    let flagr = old(1..=20).await;
    let source = flagr.source();
    let fetched = changed(&source, None).await;
    assert_eq!(fetched.count(), (20, None));
    assert!(fetched.document.flags.iter().all(|it| it.variants.len() == 1));
    let asked = flagr.paths().await;
    assert_eq!(asked[..3], [MAX_ID, EXPORT, PRELOADED]);
    let details: HashSet<_> = asked[3..].iter().cloned().collect();
    assert_eq!((asked.len(), details.len()), (23, 20));

    assert_unchanged(&source, &fetched.marker).await;
    let asked = flagr.paths().await;
    assert_eq!(asked[23..25], [MAX_ID, FLAGS], "the way is remembered");
    assert_eq!(asked.len(), 23 + 22);
}

#[tokio::test]
async fn a_flag_that_cannot_be_had_fails_all_and_one_that_cannot_be_read_does_not() {
    let gone = r#"{"message":"unable to find flag 3 in the database"}"#;
    let other = " answered something else than expected: ";
    for (answer, text) in [
        (ResponseTemplate::new(404).set_body_raw(gone, "application/json"), ": the flag went away"),
        (ResponseTemplate::new(500), " answered 500 "),
        (ResponseTemplate::new(401), " answered 401 "),
        (json(&flag(4)), other),
        (json(&format!("{},{}", flag(3), flag(4))), other),
        (json("{}"), other),
        (json("[]"), other),
        (json("{\"id\":3"), other),
    ] {
        let flagr = without_export(not_found(), not_found()).await;
        lists(&flagr, list([1, 3].map(hollow)), list([])).await;
        flagr.answer(&format!("{FLAGS}/1"), json(&flag(1))).await;
        flagr.answer(&format!("{FLAGS}/3"), answer).await;
        let told = error(&flagr.source()).await.to_string();
        assert!(told.starts_with(&format!("GET {FLAGS}/3")) && told.contains(text), "{told}");
    }

    let flagr = without_export(not_found(), not_found()).await;
    lists(&flagr, list([1, 3].map(hollow)), list([])).await;
    flagr.answer(&format!("{FLAGS}/1"), json(&flag(1))).await;
    flagr.answer(&format!("{FLAGS}/3"), json(r#"{"id":3,"key":"f3","segments":"odd"}"#)).await;
    let fetched = changed(&flagr.source(), None).await;
    assert_eq!((fetched.keys(), &*fetched.document.problems[0].flag), (vec!["f1"], "f3"));
}

#[tokio::test]
async fn all_flags_share_the_time_and_the_size_of_one_read() {
    let flagr = old(1..=9).await;
    let source = flagr.source_with(|it| it.max_export_bytes = 1500);
    let told = error(&source).await.to_string();
    assert_eq!(told, "GET /api/v1/flags/{id}: the answer has more than 1500 bytes");

    let flagr = without_export(not_found(), not_found()).await;
    lists(&flagr, list([hollow(1)]), list([])).await;
    let never = json(&flag(1)).set_delay(crate::flagr::NEVER);
    flagr.answer(&format!("{FLAGS}/1"), never).await;
    let source = flagr.source_with(|it| it.bulk_timeout = Duration::from_millis(300));
    let told = error(&source).await.to_string();
    assert!(told.contains(": the answer was not complete after 300ms"), "{told}");
}

#[tokio::test]
async fn eight_flags_are_asked_for_at_a_time_and_no_more() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let told = Arc::clone(&most);
    // Nobody is answered before there are eight of them.
    let eight = Arc::new(Barrier::new(8));
    let address = serve_by(move |head| {
        let (under_way, most, eight) = (Arc::clone(&under_way), Arc::clone(&most), Arc::clone(&eight));
        async move {
            let target = head.split(' ').nth(1).unwrap().to_owned();
            let body = match target.strip_prefix("/api/v1/flags/").map(str::parse) {
                Some(Ok(id)) => {
                    most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    eight.wait().await;
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    flag(id)
                }
                None if target == PRELOADED => {
                    format!("[{}]", (1..=40).map(hollow).collect::<Vec<_>>().join(","))
                }
                _ => return "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n".to_owned(),
            };
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{body}")
        }
    })
    .await;
    assert_eq!(changed(&source(&address, |_| {}), None).await.count().0, 40);
    assert_eq!(told.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_list_of_empty_flags_is_not_taken_for_one_without_its_parts() {
    let flagr = without_export(ResponseTemplate::new(401), max_id(9)).await;
    lists(&flagr, list([hollow(1)]), list([])).await;
    flagr.answer(&format!("{FLAGS}/1"), json(&hollow(1))).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    assert_eq!(seen.max_snapshot_id, Some(9));
    // That the flag has parts now proves that the server knows to send them.
    flagr.forget().await;
    flagr.answer(EXPORT, ResponseTemplate::new(401)).await;
    flagr.answer(MAX_ID, max_id(10)).await;
    lists(&flagr, list([flag(1)]), list([])).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!(fetched.document.flags[0].variants.len(), 1);
    assert_eq!(flagr.paths().await, [MAX_ID, EXPORT, PRELOADED]);
}

#[tokio::test]
async fn an_empty_list_proves_nothing_and_is_one() {
    let flagr = without_export(ResponseTemplate::new(401), max_id(9)).await;
    lists(&flagr, list([]), list([])).await;
    let fetched = changed(&flagr.source(), None).await;
    assert_eq!((fetched.count(), fetched.again_in), ((0, Some(9)), None));
}

#[tokio::test]
async fn where_nothing_is_open_the_most_useful_error_is_told() {
    use SourceErrorKind::{Invalid, Unauthorized};
    for (of_export, of_list, expected, kind) in [
        (401, 401, format!("GET {EXPORT} answered 401 "), Unauthorized),
        (307, 404, format!("GET {EXPORT} answered 307 "), Unauthorized),
        (401, 501, format!("GET {EXPORT} answered 401 "), Unauthorized),
        (404, 403, format!("GET {FLAGS} answered 403 "), Unauthorized),
        (404, 404, format!("GET {EXPORT} answered 404 "), Invalid),
    ] {
        let flagr = without_export(ResponseTemplate::new(of_export), max_id(1)).await;
        flagr.answer(FLAGS, ResponseTemplate::new(of_list)).await;
        let error = error(&flagr.source()).await;
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test]
async fn a_list_of_something_else_is_an_error() {
    for odd in ["{}", r#"{"Flags":[]}"#, "null", "[1]", r#"[{"name":"x"}]"#, "[{", "<html>"] {
        let flagr = without_export(not_found(), max_id(1)).await;
        flagr.answer(FLAGS, json(odd)).await;
        let error = error(&flagr.source()).await;
        let expected = format!("GET {FLAGS} answered something else than expected: ");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), SourceErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_number_that_falls_is_asked_for_twice_on_a_list_too() {
    let flagr = without_export(not_found(), max_id(20)).await;
    lists(&flagr, list([flag(1), flag(2)]), list([])).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    let script = async |first, second, flags: &[u64]| {
        flagr.forget().await;
        flagr.answer_times(1, MAX_ID, max_id(first)).await;
        flagr.answer(MAX_ID, max_id(second)).await;
        lists(&flagr, list(flags.iter().copied().map(flag)), list([])).await;
    };
    script(15, 20, &[1, 2]).await;
    assert_unchanged(&source, &seen).await;
    script(15, 15, &[1]).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.count(), fetched.again_in), ((1, Some(15)), None));
}

#[tokio::test]
async fn flagr_is_asked_to_filter_its_export_and_nothing_else() {
    let flagr = without_export(ResponseTemplate::new(401), max_id(9)).await;
    lists(&flagr, list([flag(1)]), list([])).await;
    let mut filter = ExportFilter::default();
    filter.enabled_only = true;
    filter.tags = vec!["web".into(), "a&b=c d".into()];
    filter.tags_operator = TagsOperator::All;
    let source = flagr.source_with(|it| it.export_filter = Some(filter));
    changed(&source, None).await;
    let filtered = format!("{EXPORT}?enabled=true&tags=web%2Ca%26b%3Dc+d&tagsOperator=ALL");
    assert_eq!(flagr.paths().await, [MAX_ID, &*filtered, PRELOADED]);
}
