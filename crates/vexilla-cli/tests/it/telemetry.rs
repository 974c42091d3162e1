//! What the binary shows of itself, and what it does not.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use prometheus_parse::{Scrape, Value};
use serde_json::json;

use crate::http::{evaluate, request, request_with};
use crate::running::{Beside, Sidecar, said, vexilla};
use crate::stub::{Asked, serve};

const SHOP: [&str; 2] = ["--flags", "examples/shop.json"];
const ENTITY: &str = "entity-of-nobody";
const VALUE: &str = "value-of-nobody";
const SECRETS: [(&str, &str); 3] = [
    ("VEXILLA_ADMIN_TOKEN", "token-of-the-admin"),
    ("VEXILLA_FLAGR_TOKEN", "token-of-flagr"),
    ("VEXILLA_WEBHOOK_HEADER", "X-Hook: token-of-the-hook"),
];

#[test]
fn prometheus_can_read_what_is_at_metrics() {
    let sidecar = Sidecar::start_with(Beside::Admin, &[SECRETS[0]], &SHOP);
    evaluate(&sidecar.address, r#"{"entityID":"ana","flagKey":"payments-enabled"}"#);
    let answered = request(&sidecar.others[0], "GET", "/metrics", "");
    assert_eq!(answered.status, 200);
    assert!(answered.head.to_lowercase().contains("content-type: text/plain; version="));
    let text = answered.body;
    let scrape = Scrape::parse(text.lines().map(|it| Ok(it.to_owned()))).unwrap();
    let value = |name: &str, label: Option<(&str, &str)>| {
        let sample = scrape.samples.iter().find(|it| {
            it.metric == name && label.is_none_or(|(key, value)| it.labels.get(key) == Some(value))
        });
        match sample.map(|it| &it.value) {
            Some(Value::Counter(value) | Value::Gauge(value)) => *value,
            other => panic!("{name}: {other:?} in\n{text}"),
        }
    };
    let flag = Some(("flag", "payments-enabled"));
    for (name, label, expected) in [
        ("vexilla_ruleset_flags", None, 4.0),
        ("vexilla_cache_hits_total", None, 1.0),
        ("vexilla_evaluations_total", Some(("source", "local")), 1.0),
        ("vexilla_flag_evaluations_total", flag, 1.0),
        ("vexilla_refresh_failure_total", None, 0.0),
    ] {
        assert!((value(name, label) - expected).abs() < f64::EPSILON, "{name} in\n{text}");
    }
    assert!(value("vexilla_refresh_success_total", None) >= 1.0);
    check_by_promtool(&text);
}

/// Where it is installed. It finds more than a parser does: names, units and descriptions.
fn check_by_promtool(text: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = promtool.stdout(Stdio::piped()).spawn() else { return };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A Flagr whose export works, and that fails at evaluations and repeats what it was asked.
fn failing_flagr(asked: &Asked) -> (u16, String) {
    let distribution = |key: &str| json!({"VariantKey": key, "Percent": 50});
    let flag = json!({
        "ID": 1, "Key": "split", "Enabled": true, "SnapshotID": 1,
        "Variants": [{"ID": 1, "Key": "a"}, {"ID": 2, "Key": "b"}],
        "Segments": [{"ID": 1, "RolloutPercent": 100,
            "Distributions": [distribution("a"), distribution("b")]}],
    });
    match asked.what.as_str() {
        "GET /api/v1/flags/snapshots/max_id" => (200, json!({"maxID": 1}).to_string()),
        "GET /api/v1/export/eval_cache/json" => (200, json!({"Flags": [flag]}).to_string()),
        _ => {
            let body = String::from_utf8_lossy(&asked.body);
            (500, json!({"message": format!("cannot evaluate {body}")}).to_string())
        }
    }
}

/// What a sidecar in front of a Flagr that fails logs while it is asked about people, and what was asked of Flagr.
#[cfg(unix)]
fn logged(level: &str, format: &str) -> (String, Vec<Asked>) {
    let (flagr, asked) = serve(failing_flagr);
    let url = format!("http://{flagr}");
    let arguments = ["--flagr", &url, "--archive", "off", "--log", level, "--log-format", format];
    let sidecar = Sidecar::start_with(Beside::AdminAndWebhook, &SECRETS, &arguments);
    let context = json!({"plan": VALUE});
    let question = json!({"entityID": ENTITY, "flagKey": "split", "entityContext": context});
    let question = question.to_string();
    let header = [("X-Value", VALUE), ("Authorization", "Bearer token-of-a-caller")];
    for _ in 0..5 {
        let answered =
            request_with(&sidecar.address, "POST", "/api/v1/evaluation", &header, &question);
        assert_eq!(answered.status, 200, "{}", answered.body);
    }
    let escaped = question.replace('"', "%22");
    let path = format!("/api/v1/evaluation?json={escaped}");
    assert_eq!(request(&sidecar.address, "GET", &path, "").status, 200);
    let entities = json!([{"entityID": ENTITY, "entityContext": context}]);
    let batch = json!({"entities": entities, "flagKeys": ["split"]}).to_string();
    request(&sidecar.address, "POST", "/api/v1/evaluation/batch", &batch);
    let ofrep = json!({"context": {"targetingKey": ENTITY, "plan": VALUE}}).to_string();
    request(&sidecar.address, "POST", "/ofrep/v1/evaluate/flags/split", &ofrep);
    // What cannot be read is about people too.
    evaluate(&sidecar.address, &format!(r#"{{"entityID":"{ENTITY}","entityContext":"{VALUE}"#));
    let explain = json!({"flag_key": "split", "entity_id": ENTITY, "context": context}).to_string();
    let token = [("Authorization", "Bearer token-of-the-admin")];
    let answered = request_with(&sidecar.others[0], "POST", "/admin/explain", &token, &explain);
    assert_eq!(answered.status, 200, "{}", answered.body);
    request_with(
        &sidecar.others[1],
        "POST",
        "/webhook",
        &[("X-Hook", "token-of-a-stranger")],
        "{}",
    );
    sidecar.signal("TERM");
    let (status, _, log) = sidecar.end();
    assert_eq!(status, Some(0), "{log}");
    (log, asked.try_iter().collect())
}

#[cfg(unix)]
#[test]
fn a_log_of_level_info_names_nobody_and_no_secret() {
    let (log, asked) = logged("info", "text");
    let of_people =
        asked.iter().filter(|it| String::from_utf8_lossy(&it.body).contains(ENTITY)).count();
    assert!(of_people >= 3, "Flagr was asked about people: {asked:?}");
    for words in ["rules published", "Flagr does not answer"] {
        assert!(log.contains(words), "{log}");
    }
    for words in ["of-nobody", "token-of"] {
        assert!(!log.contains(words), "{words} in {log}");
    }
}

#[cfg(unix)]
#[test]
fn no_level_logs_a_secret() {
    let (log, _) = logged("trace", "text");
    assert!(!log.contains("token-of"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_log_may_be_json() {
    let (log, _) = logged("info", "json");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let published = lines.iter().find(|it| it["message"] == "rules published").expect(&log);
    assert_eq!((&published["level"], &published["flags"]), (&json!("INFO"), &json!(1)));
    assert_eq!(published["spans"][0]["name"], "start", "{log}");
}

#[cfg(unix)]
#[test]
fn a_collector_that_the_environment_names_gets_all_that_is_left_at_the_end() {
    let (collector, asked) = serve(|_| (200, String::new()));
    let url = format!("http://{collector}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=7"),
    ];
    let sidecar = Sidecar::start_with(Beside::None, &environment, &SHOP);
    sidecar.signal("TERM");
    assert_eq!(sidecar.end(), (Some(0), String::new(), String::new()));
    let asked: Vec<_> = asked.try_iter().collect();
    let whats: BTreeSet<_> = asked.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(whats, BTreeSet::from(["POST /v1/metrics", "POST /v1/traces"]));
    for it in &asked {
        assert!(it.head.contains("x-tenant: 7\r\n"), "{}", it.head);
        let body = String::from_utf8_lossy(&it.body);
        let words = if it.what.ends_with("metrics") { "vexilla.ruleset.flags" } else { "refresh" };
        assert!(body.contains(words) && body.contains("shop"), "{words} in {body}");
    }
}

#[cfg(unix)]
#[test]
fn headers_for_the_collector_may_be_in_a_file() {
    let (collector, asked) = serve(|_| (200, String::new()));
    let url = format!("http://{collector}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    fs::write(&file, "x-key=open%20sesame,x-tenant=7\n").unwrap();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=8"),
        ("VEXILLA_TELEMETRY__OTLP_HEADERS_FILE", file.to_str().unwrap()),
    ];
    let sidecar = Sidecar::start_with(Beside::None, &environment, &SHOP);
    sidecar.signal("TERM");
    let (status, _, log) = sidecar.end();
    assert_eq!((status, log.contains("sesame")), (Some(0), false), "{log}");
    let asked: Vec<_> = asked.try_iter().collect();
    let whats: BTreeSet<_> = asked.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(whats, BTreeSet::from(["POST /v1/metrics", "POST /v1/traces"]));
    for it in asked {
        let is_ours =
            ["x-key: open sesame\r\n", "x-tenant: 7\r\n"].map(|line| it.head.contains(line));
        let is_of_variable = it.head.contains("x-tenant: 8\r\n");
        let is_metrics = it.what.ends_with("metrics");
        let expected = ([is_metrics; 2], !is_metrics);
        assert_eq!((is_ours, is_of_variable), expected, "{}", it.head);
    }

    fs::write(&file, "hunter2").unwrap();
    let mut command = vexilla([&["serve"], &SHOP[..]].concat());
    let refused = said(command.envs(environment));
    let reason = format!(
        "environment variable VEXILLA_TELEMETRY__OTLP_HEADERS_FILE: `{}` is not a list of `key=value`",
        file.display()
    );
    assert!(refused.error().ends_with(&reason), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_collector_that_is_away_is_told_of_and_changes_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ];
    let mut sidecar = Sidecar::start_with(Beside::Admin, &environment, &SHOP);
    sidecar.wait_for_log("telemetry cannot be sent");
    let body = r#"{"entityID":"ana","flagKey":"payments-enabled"}"#;
    for _ in 0..20 {
        assert_eq!(evaluate(&sidecar.address, body).status, 200);
    }
    sidecar.signal("TERM");
    let (status, _, log) = sidecar.end();
    assert_eq!(status, Some(0), "{log}");
    assert!(!log.contains("telemetry cannot be sent"), "it was told a moment ago: {log}");
    assert!(log.contains("telemetry could not be sent"), "{log}");
    assert!(log.contains("the last of it is lost"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_variable_of_opentelemetry_that_means_nothing_is_named_and_ignored() {
    let (collector, asked) = serve(|_| (200, String::new()));
    let url = format!("http://{collector}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "no/such/file.pem"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_TRACES_SAMPLER", "dice"),
    ];
    let sidecar = Sidecar::start_with(Beside::None, &environment, &SHOP);
    sidecar.signal("TERM");
    let (status, _, log) = sidecar.end();
    assert_eq!(status, Some(0), "{log}");
    for (variable, value) in &environment[1..] {
        let words = format!("environment variable {variable}: `{value}` ");
        let line = log.lines().find(|it| it.contains(&words)).expect(&log);
        assert!(line.ends_with(": it is ignored"), "{line}");
    }
    let whats: BTreeSet<_> = asked.try_iter().map(|it| it.what).collect();
    assert_eq!(whats.len(), 2, "{whats:?}");
}
