//! The sidecar's bodies and queries. Input: the first byte chooses the route, the rest is body or query.
//!
//! Whatever comes is answered, with a status that Flagr knows and a body of the type it claims; an answer to an
//! evaluation has the members that it always has.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use vexilla_eval::Ruleset;
use vexilla_server::{Sidecar, SidecarConfig};

use crate::engine::{RulesEngine, StoppedClock};

type Members = BTreeMap<String, Box<RawValue>>;

const FLAGS: &[u8] =
    br#"{"Flags":[{"ID":1,"Key":"k","Enabled":true,"Tags":[{"Value":"t"}],"EntityType":"user",
    "Variants":[{"Key":"on","Attachment":{"a":[1.5,null]}}],"Segments":[
        {"RolloutPercent":100,"Constraints":[{"Property":"x","Operator":"EQ","Value":"1"}]},
        {"RolloutPercent":100,"Distributions":[{"VariantKey":"on","Percent":100}]}]}]}"#;

thread_local! {
    static RIG: LazyCell<(Runtime, Sidecar)> = LazyCell::new(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let engine = Arc::new(RulesEngine(Ruleset::from_json(FLAGS).unwrap().ruleset));
        #[expect(clippy::disallowed_methods, reason = "where time comes from")]
        let clock = Arc::new(StoppedClock(Instant::now()));
        (runtime, Sidecar::new(engine, clock, SidecarConfig::default()))
    });
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((route, rest)) = input.split_first() else { return };
    let Some(request) = request(*route, rest) else { return };
    RIG.with(|rig| {
        let (runtime, sidecar) = &**rig;
        let (head, body) = runtime.block_on(async {
            let (head, body) = sidecar.service().oneshot(request).await.unwrap().into_parts();
            (head, body.collect().await.unwrap().to_bytes())
        });
        let content_type = head.headers.get("content-type").map(|it| it.to_str().unwrap());
        let text = || std::str::from_utf8(&body).expect("an answer is text");
        // Numbers stay text: a number out of range is repeated as it was sent.
        let json = || serde_json::from_str::<Members>(text()).expect("an answer is a JSON object");
        let begins = |members: &Members, name: &str, with: char| {
            members.get(name).is_some_and(|it| it.get().starts_with(with))
        };
        match head.status.as_u16() {
            200 if route % 4 == 0 => {
                let answer = json();
                assert!(
                    begins(&answer, "evalContext", '{') && begins(&answer, "timestamp", '"'),
                    "{}",
                    text()
                );
            }
            200 if route % 4 == 1 => {
                assert!(begins(&json(), "evaluationResults", '['), "{}", text())
            }
            200 => _ = json(),
            400 | 422 if content_type == Some("application/json") => {
                assert!(begins(&json(), "message", '"'), "{}", text());
            }
            500 => assert!(text().starts_with("PANIC: an item"), "{}", text()),
            status => assert!((400..500).contains(&status), "{status} {content_type:?} {}", text()),
        }
    });
}

fn request(route: u8, rest: &[u8]) -> Option<Request<Full<Bytes>>> {
    let body = Full::new(Bytes::copy_from_slice(rest));
    let post = |path| {
        Request::post(path).header("content-type", "application/json").body(body.clone()).ok()
    };
    let get = |path: &str| {
        Request::get(format!("{path}{}", std::str::from_utf8(rest).ok()?))
            .body(Full::default())
            .ok()
    };
    match route % 4 {
        0 => post("/api/v1/evaluation"),
        1 => post("/api/v1/evaluation/batch"),
        2 => get("/api/v1/export/eval_cache/json?"),
        _ => get("/api/v1/export/eval_cache/json?ids="),
    }
}
