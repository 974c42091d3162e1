//! Which requests a fetch makes, and what its marker says.

use std::time::Duration;

use vexilla_domain::{FlagSource, Marker};
use wiremock::ResponseTemplate;

use crate::flagr::{
    EXPORT, Flagr, MAX_ID, assert_unchanged, changed, export, json, max_id, unchanged,
};

/// Flagr with a probe that says `newest` and the export of these flags.
async fn flagr(newest: ResponseTemplate, snapshots: &[u64]) -> Flagr {
    let flagr = Flagr::start().await;
    script(&flagr, newest, snapshots).await;
    flagr
}

async fn script(flagr: &Flagr, newest: ResponseTemplate, snapshots: &[u64]) {
    flagr.forget().await;
    flagr.answer(MAX_ID, newest).await;
    flagr.answer(EXPORT, export(snapshots)).await;
}

#[tokio::test]
async fn unchanged_costs_one_request() {
    let flagr = flagr(max_id(9), &[4, 9, 7]).await;
    let source = flagr.source();
    let fetched = changed(&source, None).await;
    assert_eq!(fetched.flags.len(), 3);
    assert_eq!(fetched.marker.max_snapshot_id, Some(9));
    assert_eq!(flagr.asked().await, (1, 1));

    assert_unchanged(&source, &fetched.marker).await;
    assert_unchanged(&source, &fetched.marker).await;
    assert_eq!(flagr.asked().await, (3, 1));
}

#[tokio::test]
async fn a_change_costs_two() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(10), &[9, 10]).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.flags.len(), fetched.marker.max_snapshot_id), (2, Some(10)));
    assert_eq!(flagr.asked().await, (1, 1));
}

#[tokio::test]
async fn changes_between_probe_and_export_are_not_read_twice() {
    let flagr = flagr(max_id(9), &[11]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    assert_eq!(seen.max_snapshot_id, Some(11));
    script(&flagr, max_id(11), &[11]).await;
    assert_unchanged(&source, &seen).await;
}

#[tokio::test]
async fn without_a_probe_the_content_is_compared() {
    let absent = [404, 405, 501].map(ResponseTemplate::new);
    for no_number in [json("{}\n"), max_id(0), json("{\"maxID\":null}")].into_iter().chain(absent) {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, no_number).await;
        let rows = [r#"{"ID":1,"Key":"a"}"#, r#"{"ID":2,"Key":"b"}"#, r#"{"ID":3,"Key":"c"}"#];
        let export = |order: [usize; 3]| {
            json(&format!("{{\"Flags\":[{}]}}", order.map(|it| rows[it]).join(",")))
        };
        flagr.answer_times(1, EXPORT, export([0, 1, 2])).await;
        flagr.answer_times(1, EXPORT, export([2, 0, 1])).await;
        flagr.answer(EXPORT, json(r#"{"Flags":[{"ID":1,"Key":"a"}]}"#)).await;

        let source = flagr.source();
        let first = changed(&source, None).await;
        assert_eq!(first.marker.max_snapshot_id, None);
        assert_unchanged(&source, &first.marker).await;
        assert_eq!(changed(&source, Some(&first.marker)).await.flags.len(), 1);
        assert_eq!(flagr.asked().await, (3, 3));
    }
}

#[tokio::test]
async fn a_number_that_is_unknown_for_once_changes_nothing() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(0), &[9]).await;
    assert_unchanged(&source, &seen).await;
    assert_eq!(flagr.asked().await, (1, 1));
    script(&flagr, max_id(9), &[]).await;
    assert_unchanged(&source, &seen).await;
    assert_eq!(flagr.asked().await, (1, 0));
}

#[tokio::test]
async fn flags_that_change_while_the_number_is_unknown_are_read_again_when_it_is_known() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(0), &[10]).await;
    let seen = changed(&source, Some(&seen)).await.marker;
    assert_eq!(seen.max_snapshot_id, None);
    script(&flagr, max_id(10), &[10]).await;
    // The flags were read before the number was known: nothing changed but what their marker may say.
    let marker = unchanged(&source, &seen).await;
    assert_eq!((marker.max_snapshot_id, marker.content), (Some(10), seen.content));
}

#[tokio::test]
async fn a_lagging_export_is_read_until_it_has_the_change() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer_times(2, EXPORT, export(&[9])).await;
    flagr.answer(EXPORT, export(&[9, 10])).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.flags.len(), fetched.marker.max_snapshot_id), (2, Some(10)));
    assert_eq!(flagr.asked().await, (1, 3));
    assert_unchanged(&source, &fetched.marker).await;
    assert_eq!(flagr.asked().await, (2, 3));
}

#[tokio::test]
async fn the_first_load_does_not_wait_and_does_not_claim_what_it_has_not_seen() {
    let flagr = flagr(max_id(10), &[9]).await;
    let source = flagr.source();
    let first = changed(&source, None).await;
    assert_eq!((first.flags.len(), first.marker.max_snapshot_id), (1, None));
    assert_eq!(flagr.asked().await, (1, 1));

    script(&flagr, max_id(10), &[9, 10]).await;
    let second = changed(&source, Some(&first.marker)).await;
    assert_eq!((second.flags.len(), second.marker.max_snapshot_id), (2, Some(10)));
}

#[tokio::test]
async fn a_deletion_is_waited_for_once() {
    let flagr = flagr(max_id(9), &[8, 9]).await;
    let source = flagr.source_with(|it| it.export_lag = Duration::from_millis(20));
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer_times(1, EXPORT, export(&[8, 9])).await;
    flagr.answer(EXPORT, export(&[8])).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.flags.len(), fetched.marker.max_snapshot_id), (1, Some(10)));
    let (probes, _) = flagr.asked().await;
    assert_eq!(probes, 1);

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    assert_unchanged(&source, &fetched.marker).await;
    assert_eq!(flagr.asked().await, (1, 0));
}

#[tokio::test]
async fn a_fetch_that_is_dropped_while_it_waits_loses_nothing() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(10), &[9]).await;
    {
        let waiting = source.fetch(Some(&seen));
        assert!(tokio::time::timeout(Duration::from_millis(150), waiting).await.is_err());
    }
    script(&flagr, max_id(10), &[9, 10]).await;
    assert_eq!(changed(&source, Some(&seen)).await.flags.len(), 2);
}

#[tokio::test]
async fn a_restored_backup_is_followed() {
    let flagr = flagr(max_id(20), &[18, 20]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(15)).await;
    flagr.answer_times(1, EXPORT, export(&[18, 20])).await;
    flagr.answer(EXPORT, export(&[15])).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.flags.len(), fetched.marker.max_snapshot_id), (1, Some(15)));
    assert_eq!(flagr.asked().await, (1, 2));
}

#[tokio::test]
async fn one_bad_flag_stays_alone() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, max_id(9)).await;
    let body = r#"{"Flags":[{"ID":1,"Key":"a"},{"ID":2,"Key":"bad","Segments":"x"},{"ID":3,"Key":"c","SnapshotID":9}]}"#;
    flagr.answer(EXPORT, json(body)).await;
    let fetched = changed(&flagr.source(), None).await;
    assert_eq!(fetched.flags.iter().map(|it| &*it.key).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(fetched.problems.iter().map(|it| &*it.flag).collect::<Vec<_>>(), ["bad"]);
    assert_eq!(fetched.marker.max_snapshot_id, Some(9));
}

#[tokio::test]
async fn a_large_export_is_read_like_a_small_one() {
    let snapshots: Vec<u64> = (1..=8000).collect();
    let flagr = flagr(max_id(8000), &snapshots).await;
    let fetched = changed(&flagr.source(), Some(&Marker::default())).await;
    assert_eq!((fetched.flags.len(), fetched.marker.max_snapshot_id), (8000, Some(8000)));
}
