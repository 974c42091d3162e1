//! Which requests a fetch makes, and what its marker says.

use std::time::Duration;

use vexilla_domain::{Depth, FlagSource, Marker};
use wiremock::ResponseTemplate;

use crate::flagr::{
    EXPORT, Flagr, MAX_ID, assert_unchanged, changed, error, export, json, max_id, news, unchanged,
};

/// The pauses before a first and a second further look.
const FIRST: Option<Duration> = Some(Duration::from_millis(250));
const SECOND: Option<Duration> = Some(Duration::from_millis(500));

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
    assert_eq!((fetched.count(), fetched.again_in), ((3, Some(9)), None));
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
    assert_eq!((fetched.count(), fetched.again_in), ((2, Some(10)), None));
    assert_eq!(flagr.asked().await, (1, 1));
}

#[tokio::test]
async fn a_marker_holds_in_another_process() {
    let flagr = flagr(max_id(9), &[4, 9]).await;
    let seen = changed(&flagr.source(), None).await.marker;
    assert_unchanged(&flagr.source(), &seen).await;
    script(&flagr, max_id(0), &[4, 9]).await;
    assert_unchanged(&flagr.source(), &seen).await;
}

#[tokio::test]
async fn a_full_read_sees_what_shows_in_no_number() {
    let flagr = flagr(max_id(9), &[7]).await;
    let source = flagr.source();
    let seen = Marker { max_snapshot_id: Some(9), ..changed(&source, None).await.marker };
    let full = || source.fetch(Some(&seen), Depth::Full);
    let fetch = full().await.unwrap();
    assert!(fetch.changed.is_none());
    assert_eq!((fetch.marker, fetch.again_in), (seen.clone(), None));
    assert_eq!(flagr.asked().await, (2, 2));

    script(&flagr, max_id(9), &[7, 8]).await;
    assert_unchanged(&source, &seen).await;
    assert_eq!(news(full().await.unwrap()).count(), (2, Some(9)));
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
    let for_an_id = ResponseTemplate::new(422).set_body_raw(
        r#"{"code":601,"message":"flagID in path must be of type int64: \"snapshots\""}"#,
        "application/json",
    );
    let no_numbers = [json("{}\n"), max_id(0), json("{\"maxID\":null}"), for_an_id];
    for no_number in no_numbers.into_iter().chain(absent) {
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
        assert_eq!(changed(&source, Some(&first.marker)).await.count(), (1, None));
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
async fn flags_that_are_newer_are_taken_while_the_number_is_unknown() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(0), &[10]).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.count(), fetched.again_in), ((1, Some(10)), None));
    script(&flagr, max_id(10), &[]).await;
    assert_unchanged(&source, &fetched.marker).await;
}

#[tokio::test]
async fn flags_that_are_older_are_not_at_once() {
    let flagr = flagr(max_id(9), &[7, 9]).await;
    let source = flagr.source_with(|it| it.export_lag = SHORT);
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(0), &[7]).await;
    let (marker, again_in) = unchanged(&source, &seen).await;
    assert_eq!((marker, again_in), (seen.clone(), Some(SHORT)));
    // A server that has lost its numbers for good is followed.
    let fetched = until_settled(&source, &seen).await;
    assert_eq!(fetched.count(), (1, None));
    assert_unchanged(&source, &fetched.marker).await;
}

#[tokio::test]
async fn a_lagging_export_is_asked_for_again_and_nobody_waits() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(11)).await;
    flagr.answer_times(2, EXPORT, export(&[9])).await;
    flagr.answer_times(1, EXPORT, export(&[9, 10])).await;
    flagr.answer(EXPORT, export(&[9, 10, 11])).await;
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), FIRST));
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), SECOND));
    let part = changed(&source, Some(&seen)).await;
    assert_eq!((part.count(), part.again_in), ((2, Some(10)), Some(Duration::from_secs(1))));
    let whole = changed(&source, Some(&part.marker)).await;
    assert_eq!((whole.count(), whole.again_in), ((3, Some(11)), None));
    assert_eq!(flagr.asked().await, (4, 4));
    assert_unchanged(&source, &whole.marker).await;
    assert_eq!(flagr.asked().await, (5, 4));
}

#[tokio::test]
async fn the_first_load_does_not_wait_and_does_not_claim_what_it_has_not_seen() {
    let flagr = flagr(max_id(10), &[9]).await;
    let source = flagr.source();
    let first = changed(&source, None).await;
    assert_eq!((first.count(), first.again_in), ((1, Some(9)), FIRST));
    assert_eq!(flagr.asked().await, (1, 1));

    script(&flagr, max_id(10), &[9, 10]).await;
    let second = changed(&source, Some(&first.marker)).await;
    assert_eq!((second.count(), second.again_in), ((2, Some(10)), None));
}

#[tokio::test]
async fn a_deletion_is_looked_for_until_the_lag_has_passed() {
    let flagr = flagr(max_id(9), &[8, 9]).await;
    let source = flagr.source_with(|it| it.export_lag = SHORT);
    let seen = changed(&source, None).await.marker;

    script(&flagr, max_id(10), &[8, 9]).await;
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), Some(SHORT)));
    script(&flagr, max_id(10), &[8]).await;
    let gone = changed(&source, Some(&seen)).await;
    assert_eq!(gone.document.flags.len(), 1);
    // The number is taken as soon as no export can be behind it any more, and asked for no longer.
    let mut marker = gone.marker;
    while marker.max_snapshot_id != Some(10) {
        (marker, _) = unchanged(&source, &marker).await;
    }
    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    assert_unchanged(&source, &marker).await;
    assert_eq!(flagr.asked().await, (1, 0));
}

#[tokio::test]
async fn an_export_that_fails_leaves_the_change_to_the_next_fetch() {
    let flagr = flagr(max_id(9), &[9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(10)).await;
    flagr.answer_times(1, EXPORT, ResponseTemplate::new(500)).await;
    flagr.answer(EXPORT, export(&[9, 10])).await;
    source.fetch(Some(&seen), Depth::Probe).await.unwrap_err();
    assert_eq!(changed(&source, Some(&seen)).await.count(), (2, Some(10)));
}

#[tokio::test]
async fn one_probe_that_says_less_changes_nothing() {
    let flagr = flagr(max_id(20), &[18, 20]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    for wrong in [0, 1, 15, 19] {
        flagr.forget().await;
        flagr.answer_times(1, MAX_ID, max_id(wrong)).await;
        flagr.answer(MAX_ID, max_id(20)).await;
        flagr.answer(EXPORT, export(&[18, 20])).await;
        assert_unchanged(&source, &seen).await;
    }
    // A second one that fails proves nothing either.
    flagr.forget().await;
    flagr.answer_times(1, MAX_ID, max_id(15)).await;
    flagr.answer(MAX_ID, ResponseTemplate::new(503)).await;
    flagr.answer(EXPORT, export(&[15])).await;
    source.fetch(Some(&seen), Depth::Probe).await.unwrap_err();
    // And one that says more was right.
    flagr.forget().await;
    flagr.answer_times(1, MAX_ID, max_id(15)).await;
    flagr.answer(MAX_ID, max_id(21)).await;
    flagr.answer(EXPORT, export(&[18, 21])).await;
    assert_eq!(changed(&source, Some(&seen)).await.count(), (2, Some(21)));
    assert_eq!(flagr.asked().await, (2, 1));
}

#[tokio::test]
async fn doubts_that_were_dispelled_begin_anew() {
    let flagr = flagr(max_id(20), &[18, 20]).await;
    let source = flagr.source_with(|it| it.export_lag = SHORT);
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(15), &[18, 20]).await;
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), Some(SHORT)));
    script(&flagr, max_id(20), &[18, 20]).await;
    assert_unchanged(&source, &seen).await;
    script(&flagr, max_id(15), &[18, 20]).await;
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), Some(SHORT)));
}

#[tokio::test]
async fn a_restored_backup_is_followed_once_the_export_shows_it() {
    let flagr = flagr(max_id(20), &[18, 20]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;

    flagr.forget().await;
    flagr.answer(MAX_ID, max_id(15)).await;
    flagr.answer_times(1, EXPORT, export(&[18, 20])).await;
    flagr.answer_times(1, EXPORT, export(&[14])).await;
    flagr.answer(EXPORT, export(&[15])).await;
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), FIRST));
    assert_eq!(unchanged(&source, &seen).await, (seen.clone(), SECOND));
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.count(), fetched.again_in), ((1, Some(15)), None));
    assert_eq!(flagr.asked().await, (6, 3));
    assert_unchanged(&source, &fetched.marker).await;
}

#[tokio::test]
async fn a_restored_backup_is_followed_after_the_lag_and_comes_with_its_flags() {
    let flagr = flagr(max_id(20), &[18, 20]).await;
    let source = flagr.source_with(|it| it.export_lag = SHORT);
    let seen = changed(&source, None).await.marker;
    // What it has is what we have: the caller gets it nevertheless, since a new history begins with it.
    for flags in [&[14][..], &[18, 20]] {
        script(&flagr, max_id(15), flags).await;
        let fetched = until_settled(&source, &seen).await;
        assert_eq!(fetched.count(), (flags.len(), Some(15)));
        assert_unchanged(&source, &fetched.marker).await;
    }
}

#[tokio::test]
async fn an_empty_export_is_handed_out_with_its_doubts() {
    let flagr = flagr(max_id(9), &[8, 9]).await;
    let source = flagr.source();
    let seen = changed(&source, None).await.marker;
    script(&flagr, max_id(9), &[]).await;
    assert_unchanged(&source, &seen).await;
    let full = news(source.fetch(Some(&seen), Depth::Full).await.unwrap());
    assert_eq!((full.count(), full.again_in), ((0, Some(9)), FIRST));
    script(&flagr, max_id(11), &[]).await;
    let fetched = changed(&source, Some(&seen)).await;
    assert_eq!((fetched.count(), fetched.again_in), ((0, Some(9)), FIRST));
}

#[tokio::test]
async fn one_bad_flag_stays_alone() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, max_id(9)).await;
    let body = r#"{"Flags":[{"ID":1,"Key":"a"},{"ID":2,"Key":"bad","Segments":"x"},{"ID":3,"Key":"c","SnapshotID":9}]}"#;
    flagr.answer(EXPORT, json(body)).await;
    let fetched = changed(&flagr.source(), None).await;
    assert_eq!(fetched.keys(), ["a", "c"]);
    let problems = &fetched.document.problems;
    assert_eq!(problems.iter().map(|it| &*it.flag).collect::<Vec<_>>(), ["bad"]);
    assert_eq!(fetched.marker.max_snapshot_id, Some(9));
}

#[tokio::test]
async fn two_flags_with_one_key_both_come_in_a_fixed_order() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, ResponseTemplate::new(501)).await;
    let (a, b) = (r#"{"ID":1,"Key":"twin"}"#, r#"{"ID":2,"Key":"twin","Enabled":true}"#);
    flagr.answer_times(1, EXPORT, json(&format!("{{\"Flags\":[{a},{b}]}}"))).await;
    flagr.answer(EXPORT, json(&format!("{{\"Flags\":[{b},{a}]}}"))).await;
    let source = flagr.source();
    let fetched = changed(&source, None).await;
    assert_eq!(fetched.keys(), ["twin", "twin"]);
    assert_unchanged(&source, &fetched.marker).await;
}

#[tokio::test]
async fn a_bad_answer_to_the_probe_is_an_error_and_nothing_is_read() {
    for odd in ["[]", "5", r#"{"maxID":"9"}"#, r#"{"maxID":-1}"#, r#"{"maxID":1.5}"#, ""] {
        let flagr = flagr(json(odd), &[9]).await;
        let told = error(&flagr.source()).await.to_string();
        assert!(told.contains("max_id answered something else than expected"), "{told}");
        assert_eq!(flagr.asked().await, (1, 0));
    }
}

#[tokio::test]
async fn a_large_export_is_read_like_a_small_one() {
    let snapshots: Vec<u64> = (1..=8000).collect();
    let flagr = flagr(max_id(8000), &snapshots).await;
    let fetched = changed(&flagr.source(), Some(&Marker::default())).await;
    assert_eq!(fetched.count(), (8000, Some(8000)));
}

/// A lag that passes while a test asks a few times; each time that it is looked at it is whole, or over.
const SHORT: Duration = Duration::from_millis(90);

/// Asks until there is nothing to ask again for, and gives what was news then.
async fn until_settled(
    source: &vexilla_flagr::FlagrSource,
    seen: &Marker,
) -> crate::flagr::Changed {
    loop {
        let fetch = source.fetch(Some(seen), Depth::Probe).await.unwrap();
        if fetch.again_in.is_none() {
            return news(fetch);
        }
        assert!(fetch.changed.is_none());
    }
}
