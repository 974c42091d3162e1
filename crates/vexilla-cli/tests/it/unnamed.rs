//! People on their way to Flagr, which refuses them and repeats whom it was told of: they are named nowhere.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use crate::http::{evaluate, request};
use crate::running::{Beside, Sidecar};
use crate::stub::{Asked, serve};

const ENTITY: &str = "entity-of-nobody";
const VALUE: &str = "value-of-nobody";

/// What a Flagr answers that was told of somebody.
type Answer = fn(&str) -> (u16, String);

/// A Flagr whose flag is decided here and recorded there.
fn flagr(answer: Answer) -> (String, Receiver<Asked>) {
    let flag = json!({
        "ID": 1, "Key": "recorded", "Enabled": true, "SnapshotID": 1, "DataRecordsEnabled": true,
        "Variants": [{"ID": 1, "Key": "on"}],
        "Segments": [{"ID": 1, "RolloutPercent": 100, "Distributions": [
            {"VariantID": 1, "VariantKey": "on", "Percent": 100}]}],
    });
    serve(move |asked| match asked.what.as_str() {
        "GET /api/v1/flags/snapshots/max_id" => (200, json!({"maxID": 1}).to_string()),
        "GET /api/v1/export/eval_cache/json" => (200, json!({"Flags": [flag]}).to_string()),
        _ => answer(&String::from_utf8_lossy(&asked.body)),
    })
}

/// What a sidecar says in its statistics of exposures and replays that Flagr does not take, and in its log.
fn told(level: &str, answer: Answer) -> (String, String) {
    let (flagr, asked) = flagr(answer);
    let url = format!("http://{flagr}");
    let sidecar = Sidecar::start_with(
        Beside::Admin,
        &[],
        &[
            "--flagr",
            &url,
            "--archive",
            "off",
            "--log",
            level,
            "--evaluation-records",
            "replay",
            "--exposures-interval",
            "1ms",
        ],
    );
    let context = json!({"plan": VALUE});
    let seen = json!({"flagKey": "recorded", "entityID": ENTITY, "entityContext": context});
    let body = json!({ "exposures": [seen] }).to_string();
    assert_eq!(request(&sidecar.address, "POST", "/api/v1/exposures", &body).status, 200);
    assert_eq!(evaluate(&sidecar.address, &seen.to_string()).status, 200);
    let mut paths = BTreeSet::from(["POST /api/v1/exposures", "POST /api/v1/evaluation/batch"]);
    while !paths.is_empty() {
        let asked = asked.recv().unwrap();
        if paths.remove(asked.what.as_str()) {
            assert!(String::from_utf8_lossy(&asked.body).contains(ENTITY), "{asked:?}");
        }
    }
    let stats = loop {
        let answered = request(&sidecar.others[0], "GET", "/admin/stats", "");
        let stats: Value = serde_json::from_str(&answered.body).unwrap();
        let is_over = |it: &Value| it["last_error"].is_string() || it["dropped"] == 1;
        if is_over(&stats["exposures"]) && is_over(&stats["replays"]) {
            break answered.body;
        }
    };
    sidecar.signal("TERM");
    let (code, _, log) = sidecar.end();
    assert_eq!(code, Some(0), "{log}");
    (stats, log)
}

fn check(answer: Answer, expected: &[&str]) {
    let (stats, log) = told("info", answer);
    for words in expected {
        assert!(log.contains(words), "{words} not in {log}");
    }
    assert!(!stats.contains("of-nobody"), "{stats}");
    assert!(!log.contains("of-nobody"), "{log}");
}

fn message(about: &str) -> String {
    json!({ "message": format!("cannot take {about}") }).to_string()
}

#[test]
fn a_refusal_that_repeats_whom_it_is_about() {
    check(
        |about| (400, message(about)),
        &[
            "exposures count=1 error=POST /api/v1/exposures answered 400",
            "evaluations to be recorded",
            "POST /api/v1/evaluation/batch answered 400",
        ],
    );
    check(|about| (401, message(about)), &["POST /api/v1/exposures answered 401"]);
    check(|about| (404, message(about)), &["POST /api/v1/exposures answered 404"]);
}

#[test]
fn a_failure_that_repeats_whom_it_is_about() {
    let expected =
        ["POST /api/v1/exposures answered 500", "POST /api/v1/evaluation/batch answered 500"];
    check(|about| (500, message(about)), &expected);
    check(|about| (500, format!("PANIC: {about}\nstack")), &expected);
    check(|about| (503, message(about)), &["POST /api/v1/exposures answered 503"]);
}

#[test]
fn an_answer_that_cannot_be_read_and_repeats_whom_it_is_about() {
    let expected = ["POST /api/v1/exposures answered something else than expected"];
    check(|about| (200, json!({"errors": about}).to_string()), &expected);
    check(|about| (200, json!(about).to_string()), &expected);
}

#[test]
fn a_row_that_is_refused_in_words_that_repeat_it() {
    check(
        |about| (200, json!({"errors": [{"message": about}], "evaluationResults": []}).to_string()),
        &["Flagr refuses exposures count=1 error=for a reason that level `debug` shows"],
    );
}

#[test]
fn whoever_debugs_reads_what_flagr_says() {
    let (stats, log) = told("debug", |about| (400, message(about)));
    assert!(!stats.contains("of-nobody"), "{stats}");
    for what in ["exposures", "evaluations to be recorded"] {
        let words = format!("Flagr does not take {what} ");
        let line = log.lines().find(|it| it.contains(&words)).expect(&log);
        assert!(line.contains("DEBUG") && line.contains(ENTITY), "{line}");
    }
}
