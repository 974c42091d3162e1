//! `POST /exposures` over somebody who takes them; what Flagr answers to thousands of bodies is compared in `vexilla`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use vexilla_domain::{ExposeError, ExposeErrorKind, Exposure, ExposureInbox, RowError};

use crate::fake::Rig;

/// Keeps what it is given, or says why not.
#[derive(Debug, Default)]
struct Inbox {
    took: Mutex<Vec<Vec<Option<Exposure>>>>,
    refuses: Option<ExposeErrorKind>,
}

#[async_trait]
impl ExposureInbox for Inbox {
    async fn take(&self, rows: Vec<Option<Exposure>>) -> Result<Vec<RowError>, ExposeError> {
        if let Some(kind) = self.refuses {
            return Err(ExposeError::new(kind, "/a/secret/path cannot be written to"));
        }
        let errors = rows.iter().enumerate().filter(|it| it.1.is_none());
        let errors =
            errors.map(|(index, _)| RowError { index, message: "<null>".into() }).collect();
        self.took.lock().unwrap().push(rows);
        Ok(errors)
    }
}

fn rig(refuses: Option<ExposeErrorKind>) -> (Arc<Inbox>, Rig) {
    let inbox = Arc::new(Inbox { refuses, ..Inbox::default() });
    let taker = Arc::clone(&inbox);
    (inbox, Rig::with(|it| it.max_exposures = 3, |parts| parts.with_exposures(taker)))
}

#[tokio::test]
async fn rows_are_handed_over_as_they_came() {
    let (inbox, rig) = rig(None);
    let body = r#"{"exposures":[null,{"flagID":1,"flagKey":"f","variantID":2,"variantKey":"v","entityID":"e",
        "entityType":"t","entityContext":{"n":1.50},"flagSnapshotID":3,"timestamp":"1970-01-01T00:00:01Z"},null]}"#;
    let answered = rig.post("/api/v1/exposures", body).await;
    let errors = r#"{"errors":[{"message":"<null>"},{"index":2,"message":"<null>"}],"message":"Exposures logged successfully"}"#;
    assert_eq!((answered.status, answered.body.trim_end()), (200, errors));
    let took = inbox.took.lock().unwrap();
    let row = took[0][1].as_ref().unwrap();
    assert_eq!((row.flag_id.0, row.variant_id.0, row.snapshot_id.0), (1, 2, 3));
    let texts = [&row.flag_key, &row.variant_key, &row.entity_id, &row.entity_type];
    assert_eq!(texts.map(|it| &**it), ["f", "v", "e", "t"]);
    let since = row.at.unwrap().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_millis(), 1_000);
    let mut context = Vec::new();
    vexilla_domain::json::write_value(&mut context, row.entity_context.as_ref().unwrap());
    assert_eq!(context, br#"{"n":1.50}"#, "the text of a number is kept");
}

#[tokio::test]
async fn who_cannot_take_them_says_when_to_try_again_and_nothing_else() {
    for kind in [ExposeErrorKind::Full, ExposeErrorKind::Unavailable, ExposeErrorKind::Stopped] {
        let (_, rig) = rig(Some(kind));
        let body = r#"{"exposures":[{"flagKey":"f","entityID":"e"}]}"#;
        let answered = rig.post("/api/v1/exposures", body).await;
        assert_eq!((answered.status, &*answered.headers["retry-after"]), (503, "1"));
        assert!(!answered.body.contains("secret"), "{}", answered.body);
    }
    let (_, rig) = rig(Some(ExposeErrorKind::NoFlagr));
    let answered = rig.post("/api/v1/exposures", r#"{"exposures":[null]}"#).await;
    assert_eq!(answered.status, 501);
}

#[tokio::test]
async fn the_route_has_its_method_and_its_limit() {
    let (inbox, rig) = rig(None);
    let answered = rig.get("/api/v1/exposures").await;
    assert_eq!((answered.status, &*answered.headers["allow"]), (405, "POST"));
    let body = r#"{"exposures":[null,null,null,null]}"#;
    let answered = rig.post("/api/v1/exposures", body).await;
    let message = "{\"message\":\"exposure batch size 4 exceeds maximum allowed size of 3\"}\n";
    assert_eq!((answered.status, &*answered.body), (400, message));
    assert!(inbox.took.lock().unwrap().is_empty());
    let preflight = [("origin", "http://page"), ("access-control-request-method", "POST")];
    assert_eq!(rig.ask("OPTIONS", "/api/v1/exposures", &preflight).await.0, 204);
}
