//! Bodies and answers, without a network.

use std::time::{Duration, SystemTime};

use vexilla_domain::{Context, DeliveryErrorKind, Exposure, FlagId, SnapshotId, VariantId};

use super::{Refusal, body, read, refused};

#[test]
fn a_row_says_what_is_known_and_leaves_out_the_rest() {
    let least = Exposure { flag_key: "f".into(), entity_id: "e".into(), ..Exposure::default() };
    let context = Context::new("e").with("page", "/x\n").with("n", 3);
    let full = Exposure {
        flag_id: FlagId(1),
        variant_id: VariantId(2),
        variant_key: "on".into(),
        snapshot_id: SnapshotId(3),
        entity_type: "user".into(),
        entity_context: context.attributes().cloned(),
        at: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_782_388_800_123)),
        ..least.clone()
    };
    let text = String::from_utf8(body(&[least, full])).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"exposures":[{"flagKey":"f","entityID":"e"},"#,
            r#"{"flagID":1,"variantID":2,"flagSnapshotID":3,"flagKey":"f","variantKey":"on","entityType":"user","#,
            r#""entityID":"e","entityContext":{"n":3,"page":"/x\n"},"timestamp":"2026-06-25T12:00:00.123Z"}]}"#
        )
    );
}

#[test]
fn the_first_row_has_no_place() {
    let body =
        br#"{"errors":[{"message":"flag not found"},{"index":4,"message":"m"}],"message":"ok"}"#;
    let places: Vec<_> = read(body).unwrap().into_iter().map(|it| (it.index, it.message)).collect();
    assert_eq!(places, [(0, "flag not found".into()), (4, "m".into())]);
    assert!(read(br#"{"errors":null,"loggedCount":2}"#).unwrap().is_empty());
    assert!(read(br#"{"errors":7}"#).is_err());
    assert!(read(b"[]").is_err());
}

fn check(status: u16, body: &str, expected: DeliveryErrorKind) {
    let status = status.try_into().unwrap();
    let error = refused(Refusal { status, body: body.into() }, "POST /x", false);
    assert_eq!(error.kind(), expected, "{error}");
}

#[test]
fn a_refusal_says_whether_waiting_helps() {
    use DeliveryErrorKind::{BadBatch, NotOffered, Refused, Unavailable};
    check(
        400,
        r#"{"message":"exposure batch size 3 exceeds maximum allowed size of 2"}"#,
        BadBatch,
    );
    check(422, "", BadBatch);
    check(413, "", BadBatch);
    check(500, "PANIC: nil", BadBatch);
    check(500, "", Unavailable);
    check(503, "", Unavailable);
    check(429, "", Unavailable);
    check(307, "", Unavailable);
    check(401, "Not authorized", Refused);
    check(404, r#"{"code":404,"message":"path /api/v1/exposures was not found"}"#, NotOffered);
    check(405, "", NotOffered);
    check(407, "", Refused);
    check(501, "\"operation exposure.PostExposures has not yet been implemented\"", NotOffered);
}
