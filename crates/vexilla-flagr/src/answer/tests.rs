//! Reading answers.

use proptest::prelude::*;
use vexilla_domain::Object;

use super::*;

fn one(json: &str) -> Received {
    read(json.as_bytes()).unwrap()
}

/// The result for a flag with these members beside.
fn with(members: &str) -> Evaluation {
    one(&format!(
        r#"{{"evalContext":{{"entityID":"u","flagKey":"a"}},"flagID":1,"flagKey":"a",{members}}}"#
    ))
    .answer
    .evaluation
}

#[test]
fn nothing_is_lost() {
    let received = one(concat!(
        r#"{"dataRecordsEnabled":true,"evalContext":{"entityContext":{"n":1.50},"entityID":"u1","entityType":"user","#,
        r#""flagID":1},"evalDebugLog":{"segmentDebugLogs":[{"msg":"constraint not match.","segmentID":7},"#,
        r#"{"msg":"matched all constraints. rollout yes. {}","segmentID":8}]},"flagID":1,"flagKey":"checkout","#,
        r#""flagSnapshotID":9,"flagTags":["web","a"],"recordSource":"evaluation","segmentID":8,"#,
        r#""timestamp":"2026-11-22T19:59:38Z","variantAttachment":{"n":1.50,"color":"green"},"variantID":2,"#,
        r#""variantKey":"treatment"}"#,
    ));
    let attachment: Object =
        [("color".into(), "green".into()), ("n".into(), 1.5.into())].into_iter().collect();
    let expected = Evaluation {
        flag: Some(FlagHead {
            id: FlagId(1),
            key: "checkout".into(),
            snapshot_id: SnapshotId(9),
            entity_type: "user".into(),
            tags: ["web".into(), "a".into()].into(),
            data_records_enabled: true,
        }),
        variant: Some(VariantHead {
            id: VariantId(2),
            key: "treatment".into(),
            attachment: Some(Arc::new(attachment)),
        }),
        variant_id: VariantId(2),
        segment_id: SegmentId(8),
        reason: Reason::TargetingMatch,
        source: Source::Remote,
        freshness: vexilla_domain::Freshness::default(),
    };
    assert_eq!(received.answer.evaluation, expected);
    assert_eq!(&*received.answer.entity_id, "u1");
    let log = received.answer.log;
    assert_eq!(log.message, "");
    let segments: Vec<_> =
        log.segments.iter().flatten().map(|it| (it.segment_id.0, &*it.message)).collect();
    assert_eq!(
        segments,
        [(7, "constraint not match."), (8, "matched all constraints. rollout yes. {}")]
    );
    let echo = Echo { entity_id: "u1".into(), flag_id: 1, flag_key: "".into(), by_tags: false };
    assert_eq!(received.echo, echo);
}

#[test]
fn reasons() {
    let check = |members: &str, expected| {
        let evaluation = with(members);
        assert_eq!((evaluation.reason, evaluation.source), (expected, Source::Remote), "{members}");
        assert_eq!(evaluation.flag.is_none(), expected == Reason::NotFound);
    };
    let blank = |msg: &str| format!(r#""evalDebugLog":{{"msg":"{msg}","segmentDebugLogs":null}}"#);
    check(&blank("flagID 0 not found or deleted"), Reason::NotFound);
    check(&blank("flagID 1 is not enabled"), Reason::Disabled);
    check(&blank("flagID 1 has no segments"), Reason::NoSegments);
    check(&blank(""), Reason::NoMatch);
    check(&blank("the flag is not enabled"), Reason::NoMatch);
    check(r#""variantID":3,"variantKey":"x""#, Reason::TargetingMatch);
    let log = |msg: &str| {
        format!(
            r#""evalDebugLog":{{"segmentDebugLogs":[{{"msg":"constraint not match. x","segmentID":1}},{{"msg":"{msg}"}}]}}"#
        )
    };
    check(&log("matched all constraints. rollout no. {BucketNum:1}"), Reason::Holdout);
    check(&log("matched all constraints. rollout no. 0% rolloutPercent"), Reason::Holdout);
    check(&log("constraint not match. rollout no."), Reason::NoMatch);
    check(
        &format!(r#""variantID":3,{}"#, log("matched all constraints. rollout no. x")),
        Reason::TargetingMatch,
    );
}

#[test]
fn a_flag_in_a_blank_has_no_entity_type_of_its_own() {
    let typed = |msg: &str| {
        let json = format!(
            r#"{{"evalContext":{{"entityType":"t"}},"evalDebugLog":{{"msg":"{msg}"}},"flagID":1}}"#
        );
        one(&json).answer.evaluation.flag.unwrap().entity_type
    };
    assert_eq!(&*typed("flagID 1 is not enabled"), "");
    assert_eq!(&*typed(""), "t");
}

#[test]
fn variants_as_far_as_the_flag_knows_them() {
    let check = |members: &str, id, expected: Option<(&str, Option<usize>)>| {
        let evaluation = with(members);
        let variant = evaluation.variant.as_ref();
        let found = variant.map(|it| (&*it.key, it.attachment.as_ref().map(|it| it.len())));
        assert_eq!((evaluation.variant_id.0, found), (id, expected), "{members}");
    };
    check(r#""variantID":3,"variantKey":"on","variantAttachment":null"#, 3, Some(("on", None)));
    check(r#""variantID":3,"variantKey":"on","variantAttachment":{}"#, 3, Some(("on", Some(0))));
    check(r#""variantID":3,"variantKey":"on""#, 3, Some(("on", None)));
    check(r#""variantID":3"#, 3, None); // a distribution that names a variant that is gone
    check(r#""variantKey":"on""#, 0, None);
    check(r#""flagTags":null"#, 0, None);
}

#[test]
fn old_servers_send_null_and_the_last_segment_they_tried() {
    let evaluation = with(concat!(
        r#""evalDebugLog":{"msg":"","segmentDebugLogs":[]},"flagSnapshotID":4,"segmentID":6,"#,
        r#""variantAttachment":null,"variantID":null,"variantKey":null,"timestamp":"x""#
    ));
    assert_eq!((evaluation.segment_id.0, evaluation.variant_id.0), (0, 0));
    assert_eq!((evaluation.variant, evaluation.reason), (None, Reason::NoMatch));
    let received = one(concat!(
        r#"{"evalContext":{"entityContext":null,"entityID":null,"entityType":null,"flagID":null,"flagKey":null},"#,
        r#""evalDebugLog":{"msg":null,"segmentDebugLogs":[]},"flagID":1,"flagKey":null,"flagSnapshotID":null,"#,
        r#""segmentID":6,"variantID":7,"variantKey":"x"}"#
    ));
    assert_eq!(received.answer.log, DebugLog::default());
    assert_eq!((received.answer.evaluation.segment_id.0, &*received.answer.entity_id), (6, ""));
}

#[test]
fn what_no_flagr_answers() {
    let check = |body: &str, expected: &str| {
        let told = read(body.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(expected), "{body}: {told}");
    };
    check("", "EOF");
    check("null", "invalid type");
    check("[]", "invalid");
    check("{}", "missing field `evalContext`");
    check(r#"{"message":"boom"}"#, "missing field `evalContext`");
    check(r#"{"evalContext":null}"#, "invalid type: null");
    check(r#"{"evalContext":{}}"#, "names no flag");
    check(r#"{"evalContext":{},"flagID":-1}"#, "invalid value");
    check(r#"{"evalContext":{},"flagID":1,"variantID":2,"variantAttachment":[]}"#, "no object");
    check(r#"{"evalContext":{},"flagID":1}{"#, "trailing");
    let deep = format!("{}{}", r#"{"a":"#.repeat(101), "1".to_owned() + &"}".repeat(101));
    check(
        &format!(
            r#"{{"evalContext":{{}},"flagID":1,"flagKey":"f","variantID":2,"variantAttachment":{deep}}}"#
        ),
        "the attachment of flag `f`: nested deeper than 100 levels",
    );
    assert!(read_batch(br#"{"evaluationResults":null}"#).is_err());
    assert!(read_batch(b"{}").is_err());
    assert_eq!(read_batch(br#"{"evaluationResults":[]}"#).unwrap().len(), 0);
}

#[test]
fn broken_text_is_replaced() {
    let body = b"{\"evalContext\":{\"entityID\":\"a\xFFb\"},\"flagKey\":\"\\ud800\"}";
    let received = read(body).unwrap();
    assert_eq!(&*received.answer.entity_id, "a\u{FFFD}b");
    assert_eq!(&*received.answer.evaluation.flag.unwrap().key, "\u{FFFD}");
}

/// JSON of any shape, with Flagr's names more often than not.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        (0..4_u8).prop_map(|it| it.to_string()),
        Just("1e400".to_owned()),
        ".{0,8}".prop_map(|it| serde_json::Value::from(it).to_string()),
        Just(r#""flagID 1 is not enabled""#.to_owned()),
    ];
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            "evalContext", "evalDebugLog", "flagID", "flagKey", "flagTags", "segmentID", "variantID", "variantKey",
            "variantAttachment", "segmentDebugLogs", "msg", "entityID", "entityType", "flagSnapshotID",
            "dataRecordsEnabled", "evaluationResults",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{0,3}",
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            prop::collection::btree_map(name.clone(), inner, 0..8).prop_map(|it| {
                let members: Vec<_> =
                    it.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(text in json()) {
        let _ = read(text.as_bytes());
        let _ = read_batch(text.as_bytes());
        let members = r#""evalContext":{"entityID":"u"},"flagID":1"#;
        for name in ["variantAttachment", "evalDebugLog", "flagTags", "segmentID"] {
            let _ = read(format!(r#"{{{members},"variantID":1,"{name}":{text}}}"#).as_bytes());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = read_batch(&bytes);
    }
}
