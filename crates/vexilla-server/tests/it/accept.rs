//! What a real Flagr answered to who says what it takes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde::Deserialize;
use vexilla_domain::{ExposeError, Exposure, ExposureInbox, RowError};

use crate::fake::Rig;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/accept.jsonl");

#[derive(Deserialize)]
struct Case {
    method: String,
    path: String,
    /// The lines of the header.
    accept: Vec<String>,
    content_type: Option<String>,
    body: Option<String>,
    status: u16,
    response_content_type: String,
    response: String,
}

/// Knows one flag, as the Flagr did.
#[derive(Debug)]
struct Inbox;

#[async_trait]
impl ExposureInbox for Inbox {
    async fn take(&self, rows: Vec<Option<Exposure>>) -> Result<Vec<RowError>, ExposeError> {
        let unknown = rows.iter().enumerate().filter(|it| {
            let row: Option<&Exposure> = it.1.as_ref();
            row.is_none_or(|it| it.flag_id.0 != 1)
        });
        let error = |(index, _)| RowError { index, message: "flag not found".into() };
        Ok(unknown.map(error).collect())
    }
}

#[tokio::test]
async fn who_takes_no_json_is_told_what_flagr_tells() {
    let rig = Rig::with(|_| {}, |parts| parts.with_exposures(Arc::new(Inbox)));
    let (mut count, mut refused, mut unnamed) = (0, 0, 0);
    for line in std::fs::read_to_string(RECORDED).unwrap().lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let expected = rig.script(&case.response);
        rig.publish(1, &expected);
        *rig.engine.max_snapshot_id.lock().unwrap() = 9;
        let mut request = Request::builder().method(case.method.as_str()).uri(&case.path);
        for accept in &case.accept {
            request = request.header("accept", accept);
        }
        if case.body.is_some() {
            let json = "application/json".to_owned();
            request = request.header("content-type", case.content_type.unwrap_or(json));
        }
        let body = Bytes::from(case.body.unwrap_or_default());
        let answered = rig.send(request.body(Full::new(body)).unwrap()).await;
        assert!(answered.headers.contains_key("content-type"), "{line}");
        assert_eq!(
            (answered.status, &*answered.content_type, answered.body),
            (case.status, &*case.response_content_type, expected),
            "{line}"
        );
        count += 1;
        refused += usize::from(case.status == 406);
        unnamed += usize::from(case.response_content_type.is_empty());
    }
    assert_eq!((count, refused, unnamed), (263, 82, 38));
}

#[tokio::test]
async fn openfeatures_callers_are_not_asked_what_they_take() {
    let rig = Rig::new(|_| {});
    let request = Request::post("/ofrep/v1/evaluate/flags/a")
        .header("accept", "text/html")
        .header("content-type", "application/json")
        .body(Full::from(r#"{"context":{"targetingKey":"u"}}"#))
        .unwrap();
    assert_eq!(rig.send(request).await.content_type, "application/json");
}
