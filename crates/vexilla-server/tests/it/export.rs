//! The export's query parameters, as a real Flagr took them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Export, Freshness};

use crate::fake::Rig;
use crate::recorded::Recording;

const PATH: &str = "/api/v1/export/eval_cache/json";
const FLAGS_OF_FLAGR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/flags.json");

/// The flags that the requests below were sent for.
const FLAGS: &str = r#"[
    {"id":1,"key":"checkout","enabled":true,"tags":[{"value":"web"}]},
    {"id":2,"key":"two","enabled":false,"tags":[{"value":"web"},{"value":"big one"}]},
    {"id":3,"key":"three","enabled":true,"tags":[{"value":"service:shop"}]},
    {"id":4,"key":"four","enabled":true,"tags":[{"value":"web"},{"value":"service:shop"}]},
    {"id":5,"key":"a.b/c","enabled":false,"tags":[]}
]"#;

const ALL: &[u64] = &[1, 2, 3, 4, 5];
const NONE: &[u64] = &[];

#[rustfmt::skip]
const TAKEN: &[(&str, &[u64])] = &[
    // ids: a list, each a number as Go reads it
    ("ids=", ALL), ("ids", ALL), ("ids=,", ALL), ("ids=,&enabled=false", &[2, 5]),
    ("ids=1,,2", &[1, 2]), ("ids=%201%20,%092", &[1, 2]), ("ids=+1", &[1]), ("ids=%2B1", &[1]), ("ids=01", &[1]),
    ("ids=1%C2%A0", &[1]), ("ids=1%E2%80%83,2", &[1, 2]), ("ids=1%2C2", &[1, 2]),
    ("ids=99", NONE), ("ids=9223372036854775807", NONE),
    ("ids=2&keys=checkout", &[2]), ("ids=2&enabled=true&tags=nope", &[2]),
    // of a repeated parameter the last counts
    ("ids=1&ids=2", &[2]), ("ids=abc&ids=2", &[2]), ("ids=1&ids=", ALL),
    // other parameters
    ("", ALL), ("?ids=1", ALL), ("IDs=1", ALL), ("id=1", ALL), ("+ids=1", ALL), ("ids%3D1", ALL), ("ids%00=1", ALL),
    ("unknown=1", ALL), ("unknown=1&ids=2", &[2]), ("=1&ids=2", &[2]), ("&&ids=2&&", &[2]), ("%69ds=1", &[1]),
    // what Go cannot read is dropped
    ("ids=1;2", ALL), ("ids=1;enabled=true", ALL), ("ids=1;&enabled=false", &[2, 5]), ("a;b&ids=1", &[1]),
    ("ids=%", ALL), ("ids=%zz", ALL), ("ids=1%2", ALL), ("ids=%%31", ALL), ("enabled=%zz", ALL),
    ("ids=1&ids=%zz", &[1]), ("ids=%zz&ids=1", &[1]), ("%zz=1&ids=1", &[1]), ("x=%zz&ids=1", &[1]),
    ("tagsOperator=%zz&tags=web", &[1, 2, 4]),
    // keys
    ("keys=", ALL), ("keys=,&enabled=false", &[2, 5]), ("keys=checkout", &[1]), ("keys=+checkout+,two", &[1, 2]),
    ("keys=Checkout", NONE), ("keys=nope", NONE), ("keys=%FF", NONE), ("keys=check%6Fut", &[1]),
    ("keys=a.b/c", &[5]), ("keys=a.b%2Fc", &[5]), ("keys=checkout&keys=two", &[2]),
    ("keys=checkout&enabled=false", &[1]), ("keys=checkout&tags=nope", &[1]),
    // enabled
    ("enabled=true", &[1, 3, 4]), ("enabled=TRUE", &[1, 3, 4]), ("enabled=1", &[1, 3, 4]), ("enabled=yes", &[1, 3, 4]),
    ("enabled=ok", &[1, 3, 4]), ("enabled=y", &[1, 3, 4]), ("enabled=on", &[1, 3, 4]), ("enabled=t", &[1, 3, 4]),
    ("enabled=selected", &[1, 3, 4]), ("enabled=checked", &[1, 3, 4]), ("enabled=Enabled", &[1, 3, 4]),
    ("enabled=o%E2%84%AA", &[1, 3, 4]), // the sign for Kelvin is a large K
    ("enabled=false", &[2, 5]), ("enabled=maybe", &[2, 5]), ("enabled=0", &[2, 5]), ("enabled=2", &[2, 5]),
    ("enabled=+true", &[2, 5]), ("enabled=true%20", &[2, 5]), ("enabled=%20", &[2, 5]), ("enabled=%FF", &[2, 5]),
    ("enabled=", ALL), ("enabled", ALL), ("enabled=true&enabled=false", &[2, 5]), ("enabled=true&enabled=", ALL),
    // tags
    ("tags=", ALL), ("tags=web", &[1, 2, 4]), ("tags=WEB", NONE), ("tags=service%3Ashop", &[3, 4]),
    ("tags=big+one", &[2]), ("tags=big%20one", &[2]), ("tags=+big+one+", &[2]), ("tags=big", NONE),
    ("tags=web,service:shop", &[1, 2, 3, 4]), ("tags=web,service:shop&tagsOperator=ANY", &[1, 2, 3, 4]),
    ("tags=web,service:shop&tagsOperator=ALL", &[4]), ("tags=web,nope&tagsOperator=ALL", NONE),
    ("tags=web,web&tagsOperator=ALL", &[1, 2, 4]), ("tags=,&tagsOperator=ALL", ALL), ("tagsOperator=ALL", ALL),
    ("tags=web,service:shop&tagsOperator=", &[1, 2, 3, 4]), ("tags=web,service:shop&tagsOperator", &[1, 2, 3, 4]),
    ("tags=web,service:shop&tagsOperator=ALL&tagsOperator=ANY", &[1, 2, 3, 4]),
    ("tags=web,service:shop&tagsOperator=ANY&tagsOperator=ALL", &[4]),
    ("tags=web,service:shop&tagsOperator=ALL&tagsOperator=", &[1, 2, 3, 4]),
    ("tags=web,service:shop&tagsOperator=SOME&tagsOperator=ANY", &[1, 2, 3, 4]),
    ("tags=web&enabled=false", &[2]), ("tags=web&enabled=true", &[1, 4]),
];

#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("ids=0", r#"{"code":609,"message":"ids.0 in query should be greater than or equal to 1"}"#),
    ("ids=-0", r#"{"code":609,"message":"ids.0 in query should be greater than or equal to 1"}"#),
    ("ids=-1", r#"{"code":609,"message":"ids.0 in query should be greater than or equal to 1"}"#),
    ("ids=,,0", r#"{"code":609,"message":"ids.0 in query should be greater than or equal to 1"}"#),
    ("ids=1,0,abc", r#"{"code":609,"message":"ids.1 in query should be greater than or equal to 1"}"#),
    ("ids=1,abc,0", r#"{"code":601,"message":"ids.1 in query must be of type int64"}"#),
    ("ids=abc", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1&ids=abc", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1.5", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1_0", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=0x1", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=[1]", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids==1", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1=2", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1?ids=2", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1%3B2", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1%00", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=1%EF%BB%BF", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=%D9%A1", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=9223372036854775808", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("ids=-9223372036854775809", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
    ("tagsOperator=SOME", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    ("tags=web&tagsOperator=all", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    ("tags=web&tagsOperator=+ALL", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    ("tagsOperator=ANY&tagsOperator=SOME", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    ("ids=1&tagsOperator=SOME", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    ("keys=two&tagsOperator=SOME", r#"{"code":606,"message":"tagsOperator in query should be one of [ANY ALL]"}"#),
    // of several the ids are told first
    ("tagsOperator=SOME&ids=0", r#"{"code":609,"message":"ids.0 in query should be greater than or equal to 1"}"#),
    ("ids=abc&tagsOperator=SOME", r#"{"code":601,"message":"ids.0 in query must be of type int64"}"#),
];

/// A sidecar that has this document to export.
fn rig(document: impl AsRef<[u8]>) -> Rig {
    let rig = Rig::new(|_| {});
    *rig.engine.export.lock().unwrap() =
        Some(Export { json: document.as_ref().into(), freshness: Freshness::default() });
    rig
}

/// `FLAGS` as an export.
fn five_flags() -> String {
    let document = write_flags(&read_flags(FLAGS.as_bytes()).unwrap().flags);
    String::from_utf8(document).unwrap() + "\n"
}

fn ids(document: &str) -> Vec<u64> {
    read_flags(document.as_bytes()).unwrap().flags.iter().map(|it| it.id.0).collect()
}

#[tokio::test]
async fn parameters_are_read_as_flagr_reads_them() {
    let rig = rig(five_flags());
    for (query, expected) in TAKEN {
        let answered = rig.get(&format!("{PATH}?{query}")).await;
        assert_eq!((answered.status, ids(&answered.body)), (200, expected.to_vec()), "{query}");
        assert!(answered.body.ends_with("]}\n"), "{query}");
        if *expected == ALL {
            assert_eq!(answered.body, five_flags(), "{query}");
        }
    }
    for (query, expected) in REFUSED {
        let answered = rig.get(&format!("{PATH}?{query}")).await;
        assert_eq!((answered.status, &*answered.body), (422, *expected), "{query}");
    }
}

#[tokio::test]
async fn too_many_parameters_are_none() {
    let rig = rig(five_flags());
    for (separators, expected) in [(9_999, &[1][..]), (10_000, ALL)] {
        let answered = rig.get(&format!("{PATH}?{}ids=1", "&".repeat(separators))).await;
        assert_eq!(ids(&answered.body), expected, "{separators}");
    }
}

/// Each flag's text by its id: a real Flagr shuffles the flags.
fn by_id(document: &str) -> BTreeMap<u64, String> {
    let members: BTreeMap<String, Vec<&RawValue>> = serde_json::from_str(document).unwrap();
    let flags = members["Flags"].iter().map(|flag| {
        let id = serde_json::from_str::<serde_json::Value>(flag.get()).unwrap()["ID"].as_u64();
        (id.unwrap(), flag.get().to_owned())
    });
    flags.collect()
}

#[tokio::test]
async fn every_recorded_export_comes_out_equal() {
    let exchanges = Recording::read().exchanges;
    let exports: Vec<_> = exchanges.iter().filter(|it| it.name.starts_with("export")).collect();
    let rig = rig(&exports[0].response.body);
    for exchange in &exports {
        let mut answered = rig.get(&exchange.request.path).await;
        answered.headers.retain(|name, _| name != "etag" && !name.starts_with("x-vexilla-"));
        let expected = &exchange.response;
        assert_eq!(
            (answered.status, &answered.headers),
            (expected.status, &expected.headers),
            "{}",
            exchange.name
        );
        if expected.status == 200 {
            assert_eq!(by_id(&answered.body), by_id(&expected.body), "{}", exchange.name);
        } else {
            assert_eq!(answered.body, expected.body, "{}", exchange.name);
        }
    }
    assert_eq!(exports.len(), 7);
}

#[tokio::test]
async fn a_large_document_is_narrowed_without_changing_a_flag() {
    #[derive(serde::Deserialize)]
    struct Vectors<'t> {
        #[serde(borrow)]
        export: &'t RawValue,
    }
    let text = std::fs::read_to_string(FLAGS_OF_FLAGR).unwrap();
    let export = serde_json::from_str::<Vectors<'_>>(&text).unwrap().export.get();
    let flags = read_flags(export.as_bytes()).unwrap().flags;
    let export = String::from_utf8(write_flags(&flags)).unwrap() + "\n";
    assert!(export.len() > 100_000, "{}", export.len());
    let rig = rig(&export);
    let all = rig.get(&format!("{PATH}?tags=&unknown=1")).await;
    assert_eq!(all.body, export, "sent as it is");

    let known = by_id(&export);
    let list = |rest| {
        let ids = known.keys().filter(|it| *it % 2 == rest).map(u64::to_string);
        ids.collect::<Vec<_>>().join(",")
    };
    let mut narrowed = by_id(&rig.get(&format!("{PATH}?ids={}", list(0))).await.body);
    narrowed.extend(by_id(&rig.get(&format!("{PATH}?ids={}", list(1))).await.body));
    assert_eq!(narrowed, known);
}

#[tokio::test]
async fn a_document_that_holds_no_flags_is_an_error_that_is_not_json() {
    let answered = rig("[1]{").get(&format!("{PATH}?ids=1")).await;
    assert_eq!((answered.status, &*answered.content_type), (500, "text/plain; charset=utf-8"));
    assert!(answered.body.starts_with("the export cannot be filtered: "), "{}", answered.body);
}
