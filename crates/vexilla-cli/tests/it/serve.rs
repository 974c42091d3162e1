//! `vexilla serve` and `vexilla health`: start, answers, signals.

use serde_json::json;

use crate::http::{evaluate, request, without_timestamp};
use crate::running::{Sidecar, run};

const SHOP: [&str; 2] = ["--flags", "examples/shop.json"];

/// A flag that everybody has.
pub(crate) fn flag(key: &str) -> serde_json::Value {
    json!({
        "Key": key, "Enabled": true, "Variants": [{"Key": "on"}],
        "Segments": [{"RolloutPercent": 100, "Distributions": [{"VariantKey": "on", "Percent": 100}]}]
    })
}

#[test]
fn it_says_what_it_loaded_and_where_it_listens_and_then_answers() {
    let sidecar = Sidecar::start(&SHOP);
    assert_eq!(sidecar.loaded, "loaded 4 flags from file examples/shop.json");
    assert!(!sidecar.address.ends_with(":0"));

    let answer = evaluate(&sidecar.address, r#"{"entityID":"ana","flagKey":"payments-enabled"}"#);
    assert_eq!(answer.status, 200);
    assert!(answer.head.to_lowercase().contains("x-vexilla-source: local"), "{}", answer.head);
    assert_eq!(without_timestamp(&answer.body)["variantKey"], "on");

    let export = request(&sidecar.address, "GET", "/api/v1/export/eval_cache/json", "");
    assert_eq!(export.body.matches("SnapshotID").count(), 4);
}

#[test]
fn eval_prints_what_the_sidecar_answers() {
    let sidecar = Sidecar::start(&SHOP);
    let body = r#"{"entityID":"ana","entityContext":{"app_version":43,"country":"DE"},"enableDebug":true,"flagKey":"new-checkout"}"#;
    let served = evaluate(&sidecar.address, body).body;

    let question =
        ["--entity-id", "ana", "--set", "country=DE", "--set", "app_version=43", "--debug"];
    let printed = ["eval", "new-checkout", "--format", "json"].iter().chain(&SHOP).chain(&question);
    let printed = run(printed).ok();
    // The order of the members and the spelling too, but for the time.
    let before_time = |text: &str| text.split("\"timestamp\"").next().unwrap().to_owned();
    assert_eq!(before_time(&printed), before_time(&served));
    assert_eq!(without_timestamp(&printed), without_timestamp(&served));
}

#[test]
fn a_bad_flag_is_named_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut bad = flag("bad");
    bad["Segments"][0]["Constraints"] = json!([{"Property": "a", "Operator": "EQ", "Value": "US"}]);
    let mut sidecar =
        Sidecar::with_flags(folder.path(), &json!([flag("first"), bad, flag("last")]), &[]);
    let warning = sidecar.log_line();
    for part in ["WARN", "flag `bad`", "segments[0].constraints[0]", "quarantined"] {
        assert!(warning.contains(part), "{warning}");
    }
    assert!(sidecar.loaded.ends_with("flags.json, 1 in quarantine"), "{}", sidecar.loaded);
    for (key, variant) in [("first", json!("on")), ("bad", json!(null)), ("last", json!("on"))] {
        let answer = evaluate(&sidecar.address, &format!(r#"{{"flagKey":"{key}"}}"#));
        assert_eq!(without_timestamp(&answer.body)["variantKey"], variant, "{key}");
    }
}

#[test]
fn a_flag_that_cannot_even_be_read_is_named_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut bad = flag("bad");
    bad["Segments"][0]["RolloutPercent"] = json!("all");
    let mut sidecar = Sidecar::with_flags(folder.path(), &json!([bad, flag("good")]), &[]);
    let warning = sidecar.log_line();
    for part in ["flag `bad`", "segments[0].rolloutPercent", "quarantined"] {
        assert!(warning.contains(part), "{warning}");
    }
    let answer = evaluate(&sidecar.address, r#"{"flagKey":"good"}"#);
    assert_eq!(without_timestamp(&answer.body)["variantKey"], "on");
}

/// Each step waits for a line of the log, so no time has to be guessed.
#[test]
fn a_changed_file_arrives_and_a_lost_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let often = ["--log", "debug", "--refresh-interval", "20ms"];
    let mut sidecar = Sidecar::with_flags(folder.path(), &json!([flag("a-flag")]), &often);
    let address = sidecar.address.clone();
    let variant = || {
        let answer = evaluate(&address, r#"{"flagKey":"a-flag"}"#);
        without_timestamp(&answer.body)["variantKey"].clone()
    };
    sidecar.wait_for_log("Published");
    assert_eq!(variant(), "on");

    // By a file that takes the place of the old one: nobody reads half of it.
    let (file, new) = (folder.path().join("flags.json"), folder.path().join("new.json"));
    let mut off = flag("a-flag");
    off["Enabled"] = json!(false);
    std::fs::write(&new, json!([off]).to_string()).unwrap();
    std::fs::rename(&new, &file).unwrap();
    sidecar.wait_for_log("Published");
    assert_eq!(variant(), json!(null));

    std::fs::remove_file(&file).unwrap();
    sidecar.wait_for_log("there is no such file");
    assert_eq!(variant(), json!(null), "disabled, as before");

    std::fs::write(&new, json!([flag("a-flag")]).to_string()).unwrap();
    std::fs::rename(&new, &file).unwrap();
    sidecar.wait_for_log("Published");
    assert_eq!(variant(), "on");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let first = Sidecar::start(&SHOP);
    let listen = ["serve", "--admin-listen", "off", "--listen", &first.address];
    let said = run(listen.into_iter().chain(SHOP));
    assert_eq!((said.status, said.stdout.as_str()), (1, ""));
    let expected = format!("error: --listen: cannot listen on {}: ", first.address);
    assert!(said.error().starts_with(&expected), "{}", said.stderr);
}

#[test]
fn health_asks_a_sidecar() {
    let sidecar = Sidecar::start(&SHOP);
    assert_eq!(run(["health", "--url", &sidecar.url()]).ok(), "OK\n");
    let nobody = "http://127.0.0.1:1";
    let said = run(["health", "--url", nobody]);
    assert_eq!((said.status, said.stdout.as_str()), (1, ""));
    let expected = format!("error: {nobody}: GET /api/v1/health: cannot connect");
    assert!(said.error().starts_with(&expected), "{}", said.stderr);
}

#[test]
fn health_reads_the_configuration_that_serve_reads() {
    let sidecar = Sidecar::start(&SHOP);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vexilla.toml");
    let asked = |listen: &str| {
        std::fs::write(&file, format!("[sidecar]\nlisten = \"{listen}\"\n")).unwrap();
        run(["health", "--config", file.to_str().unwrap()])
    };
    assert_eq!(asked(&sidecar.address).ok(), "OK\n");
    let said = asked("127.0.0.1:1");
    assert_eq!((said.status, said.stdout.as_str()), (1, ""));
    assert!(said.error().starts_with("error: http://127.0.0.1:1: "), "{}", said.stderr);
}

#[cfg(unix)]
mod signals {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::{SHOP, Sidecar};
    use crate::http::{receive, request};
    use crate::running::{Beside, signal, vexilla};

    #[track_caller]
    fn check(signal: &str) {
        let sidecar = Sidecar::start(&SHOP);
        request(&sidecar.address, "GET", "/api/v1/health", "");
        sidecar.signal(signal);
        assert_eq!(sidecar.end(), (Some(0), String::new(), String::new()));
    }

    #[test]
    fn a_signal_ends_it_gracefully() {
        check("TERM");
        check("INT");
    }

    #[test]
    fn a_signal_ends_it_while_it_still_waits_for_flags() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let mut child = vexilla(["serve", "--flagr", &url]).spawn().unwrap();
        let _asking = silent.accept().unwrap();
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    /// A request whose body has not arrived yet. The answer to its `Expect` tells that it is being worked on.
    fn unfinished(sidecar: &Sidecar) -> TcpStream {
        let mut connection = TcpStream::connect(&sidecar.address).unwrap();
        let head = "POST /api/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        connection.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        std::io::Read::read_exact(&mut connection, &mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        connection
    }

    #[test]
    fn a_running_request_is_answered_before_the_end() {
        let sidecar = Sidecar::start(&SHOP);
        let mut connection = unfinished(&sidecar);
        sidecar.signal("TERM");
        // The port is closed once the signal has arrived.
        while TcpStream::connect(&sidecar.address).is_ok() {}
        connection.write_all(b"{}").unwrap();
        assert_eq!(receive(connection).status, 200);
        assert_eq!(sidecar.end().0, Some(0));
    }

    #[test]
    fn it_is_not_ready_any_more_once_it_is_to_end() {
        let sidecar = Sidecar::start_with(Beside::Admin, &[], &SHOP);
        let admin = sidecar.others[0].clone();
        assert_eq!(request(&admin, "GET", "/ready", "").status, 200);
        let mut connection = unfinished(&sidecar);
        sidecar.signal("TERM");
        while TcpStream::connect(&sidecar.address).is_ok() {}
        let answered = request(&admin, "GET", "/ready", "");
        assert_eq!(answered.status, 503, "{}", answered.body);
        assert!(answered.body.contains("is about to be stopped"), "{}", answered.body);
        assert_eq!(request(&admin, "GET", "/health", "").status, 200);
        connection.write_all(b"{}").unwrap();
        assert_eq!(receive(connection).status, 200);
        assert_eq!(sidecar.end().0, Some(0));
    }

    #[test]
    fn a_second_signal_ends_it_at_once() {
        let sidecar = Sidecar::start(&SHOP);
        let connection = unfinished(&sidecar);
        sidecar.signal("TERM");
        while TcpStream::connect(&sidecar.address).is_ok() {}
        sidecar.signal("INT");
        assert_eq!(sidecar.end(), (Some(1), String::new(), String::new()));
        drop(connection);
    }
}
