//! Whatever is sent, the answer is well formed.

use http::Request;
use http_body_util::Full;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::fake::{Answered, Rig};

/// Bytes, text that looks like JSON, and requests with something broken in them.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "\\ud800",
        "null",
        "true",
        "-",
        "0",
        "1.5",
        "e9",
        " ",
        "\"entityID\"",
        "\"flagID\":",
        "\"entities\":[",
        "\"entityContext\":{",
        "\"flagTags\":",
        "\"flagKeys\":[\"k\"]",
        "\"flagTagsOperator\":\"ANY\"",
        "\"a\"",
        "é",
        "\u{2028}",
        "<",
        "\u{0}",
    ];
    let pieces = proptest::collection::vec(proptest::sample::select(PIECES), 0..24)
        .prop_map(|it| it.concat().into_bytes());
    let broken = (any::<bool>(), any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(batch, at, byte)| {
        let mut body = if batch {
            br#"{"entities":[{"entityID":"a","entityContext":{"x":[1.50,"\u00e9"]}}],"flagIDs":[1],"enableDebug":true}"#
                .to_vec()
        } else {
            br#"{"entityID":"a","entityContext":{"x":{"y":null}},"flagID":12,"flagTags":["t"]}"#.to_vec()
        };
        let at = at.index(body.len());
        body[at] = byte;
        body
    });
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), pieces, broken]
}

fn is_well_formed(answered: &Answered) -> bool {
    let is_json = || serde_json::from_str::<serde_json::Value>(&answered.body).is_ok();
    match answered.status {
        200 | 400 | 422 => answered.content_type == "application/json" && is_json(),
        500 => {
            answered.content_type.starts_with("text/plain")
                && answered.body.starts_with("PANIC: an item")
        }
        _ => false,
    }
}

#[test]
fn any_body_is_answered() {
    #[expect(clippy::disallowed_methods, reason = "a slow test asks an environment variable")]
    let cases =
        std::env::var("VEXILLA_RANDOM_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(2_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rig = Rig::new(|_| {});
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let mut statuses = std::collections::BTreeMap::new();
    let statuses = std::cell::RefCell::new(&mut statuses);
    runner
        .run(&(bodies(), any::<bool>()), |(body, batch)| {
            let path = if batch { "/api/v1/evaluation/batch" } else { "/api/v1/evaluation" };
            let request = Request::post(path).header("content-type", "application/json");
            let answered =
                runtime.block_on(rig.send(request.body(Full::new(body.into())).unwrap()));
            rig.engine.asked.lock().unwrap().clear();
            *statuses.borrow_mut().entry(answered.status).or_insert(0_u32) += 1;
            prop_assert!(is_well_formed(&answered), "{:?}", answered);
            Ok(())
        })
        .unwrap();
    println!("{cases} bodies answered: {:?}", statuses.into_inner());
}
