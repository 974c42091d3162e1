//! Reads are sent again where that may help, and only as long as their time lasts.

use std::time::Duration;

use vexilla_domain::{Depth, FlagSource, SourceErrorKind};
use vexilla_flagr::{FlagrConfig, FlagrSource};
use wiremock::ResponseTemplate;

use crate::flagr::{EXPORT, Flagr, MAX_ID, NEVER, changed, error, export, max_id};
use crate::raw::{Then, serve_counted};

fn source(flagr: &Flagr) -> FlagrSource {
    source_with(flagr, |_| {})
}

fn source_with(flagr: &Flagr, change: impl FnOnce(&mut FlagrConfig)) -> FlagrSource {
    flagr.source_with(|it| {
        it.retries = 3;
        it.retry_base = Duration::from_millis(1);
        it.retry_max = Duration::from_millis(2);
        change(it);
    })
}

#[tokio::test]
async fn a_busy_flagr_is_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let flagr = Flagr::start().await;
        flagr.answer_times(3, MAX_ID, ResponseTemplate::new(status)).await;
        flagr.answer(MAX_ID, max_id(1)).await;
        flagr.answer_times(2, EXPORT, ResponseTemplate::new(status)).await;
        flagr.answer(EXPORT, export(&[1])).await;
        assert_eq!(changed(&source(&flagr), None).await.count().0, 1);
        assert_eq!(flagr.asked().await, (4, 3), "{status}");
    }
}

#[tokio::test]
async fn four_attempts_are_enough() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, ResponseTemplate::new(503)).await;
    let told = error(&source(&flagr)).await;
    assert_eq!(told.to_string(), format!("GET {MAX_ID} answered 503 Service Unavailable"));
    assert_eq!(flagr.asked().await, (4, 0));
}

#[tokio::test]
async fn what_would_not_change_is_asked_once() {
    for status in [301, 302, 400, 401, 403, 422] {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, ResponseTemplate::new(status)).await;
        assert_ne!(error(&source(&flagr)).await.kind(), SourceErrorKind::Unavailable);
        assert_eq!(flagr.asked().await, (1, 0), "{status}");
    }
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, crate::flagr::json("nonsense")).await;
    assert_eq!(error(&source(&flagr)).await.kind(), SourceErrorKind::Invalid);
    assert_eq!(flagr.asked().await, (1, 0));
}

#[tokio::test]
async fn health_is_about_now() {
    let flagr = Flagr::start().await;
    flagr.answer("/api/v1/health", ResponseTemplate::new(503)).await;
    source(&flagr).health().await.unwrap_err();
    assert_eq!(flagr.0.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn broken_and_silent_connections_are_tried_again() {
    for (then, expected) in
        [(Then::Closes, ": no answer"), (Then::IsSilent, ": not a byte within 20ms")]
    {
        let (address, count) = serve_counted("", then).await;
        let source = crate::flagr::source(&address, |it| {
            it.retries = 2;
            it.retry_base = Duration::from_millis(1);
            it.bulk_idle_timeout = Duration::from_millis(20);
        });
        assert_eq!(error(&source).await.to_string(), format!("GET {EXPORT}{expected}"));
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept() {
    let flagr = Flagr::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    flagr.answer_times(1, MAX_ID, busy).await;
    flagr.answer(MAX_ID, max_id(1)).await;
    flagr.answer(EXPORT, export(&[1])).await;
    let source = source(&flagr);
    {
        let waiting = source.fetch(None, Depth::Probe);
        assert!(tokio::time::timeout(Duration::from_millis(150), waiting).await.is_err());
    }
    assert_eq!(flagr.asked().await, (1, 0));
}

#[tokio::test]
async fn one_that_asks_for_too_long_a_pause_is_left_alone() {
    let hour = ResponseTemplate::new(503).insert_header("retry-after", "3600");
    let date = ResponseTemplate::new(503)
        .insert_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .insert_header("retry-after", "Sun, 06 Nov 1994 08:52:37 GMT");
    for answer in [hour.clone(), date] {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, answer).await;
        assert_eq!(error(&source(&flagr)).await.kind(), SourceErrorKind::Unavailable);
        assert_eq!(flagr.asked().await, (1, 0));
    }
    // Allowed, but longer than the call: there is no use in waiting for its end.
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, hour).await;
    let source = source_with(&flagr, |it| {
        it.retry_after_max = NEVER * 100;
        it.timeout = NEVER;
    });
    assert!(error(&source).await.to_string().ends_with("answered 503 Service Unavailable"));
    assert_eq!(flagr.asked().await, (1, 0));
}
