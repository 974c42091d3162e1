//! What runs beside the sidecar of `vexilla serve`, and sidecars behind sidecars.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::json;

use crate::http::{evaluate, request, request_with, without_timestamp};
use crate::running::{Beside, Sidecar, run, said, vexilla};
use crate::serve::flag;

const SHOP: [&str; 2] = ["--flags", "examples/shop.json"];
const TOKEN: (&str, &str) = ("VEXILLA_ADMIN_TOKEN", "hush-hush");

#[test]
fn the_admin_api_asks_for_the_token_where_there_is_one() {
    let sidecar = Sidecar::start_with(Beside::Admin, &[TOKEN], &SHOP);
    let admin = &*sidecar.others[0];
    let right = ("Authorization", "Bearer hush-hush");
    let wrong = ("Authorization", "Bearer hush");
    assert_eq!(request(admin, "GET", "/health", "").status, 200);
    assert_eq!(request(admin, "GET", "/ready", "").status, 200);
    let explain = r#"{"flag_key":"payments-enabled","entity_id":"ana"}"#;
    let invalidate = r#"{"flag_key":"payments-enabled"}"#;
    let routes = [
        ("GET", "/admin/stats", ""),
        ("GET", "/admin/flags", ""),
        ("GET", "/admin/flags/payments-enabled", ""),
        ("POST", "/admin/explain", explain),
        ("POST", "/admin/invalidate", invalidate),
        ("POST", "/admin/invalidate-all", ""),
        ("POST", "/admin/refresh", ""),
    ];
    for (method, path, body) in routes {
        let answered = |headers: &[(&str, &str)]| request_with(admin, method, path, headers, body);
        assert_eq!(answered(&[]).status, 401, "{path}");
        assert_eq!(answered(&[wrong]).status, 401, "{path}");
        let answered = answered(&[right]);
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
    }
    let flag = request_with(admin, "GET", "/admin/flags/payments-enabled", &[right], "").body;
    assert!(flag.starts_with(r#"{"ID":1,"#), "{flag}");
}

#[test]
fn without_a_token_the_admin_api_is_there_for_this_machine_only() {
    let sidecar = Sidecar::start_with(Beside::Admin, &[], &SHOP);
    assert_eq!(request(&sidecar.others[0], "GET", "/admin/stats", "").status, 200);

    let place = "0.0.0.0:0";
    for (option, more, missing) in [
        ("--admin-listen", &[][..], "token"),
        ("--webhook-listen", &["--admin-listen", "off"], "secret"),
    ] {
        let quiet = ["serve", "--listen", "127.0.0.1:0", option, place];
        let arguments: Vec<_> = quiet.iter().chain(more).chain(&SHOP).collect();
        let said = run(arguments);
        assert_eq!((said.status, said.stdout.as_str()), (1, ""));
        let expected = format!("error: {option}: cannot listen on {place}: ");
        assert!(said.error().starts_with(&expected), "{}", said.stderr);
        assert!(said.error().contains(missing), "{}", said.stderr);
    }
}

#[test]
fn a_port_of_the_admin_api_that_is_taken_is_an_error() {
    let first = Sidecar::start(&SHOP);
    let listen = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", &first.address];
    let said = run(listen.into_iter().chain(SHOP));
    assert_eq!((said.status, said.stdout.as_str()), (1, ""));
    let expected = format!("error: --admin-listen: cannot listen on {}: ", first.address);
    assert!(said.error().starts_with(&expected), "{}", said.stderr);
}

#[test]
fn two_servers_at_one_address_are_told_of_each_other() {
    let listen = ["serve", "--listen", "127.0.0.1:1", "--admin-listen", "127.0.0.1:1"];
    let said = run(listen.into_iter().chain(SHOP));
    assert_eq!((said.status, said.stdout.as_str()), (2, ""));
    let expected = "error: --admin-listen: 127.0.0.1:1 is taken by this process itself: the sidecar listens on 127.0.0.1:1 (`sidecar.listen`)";
    assert_eq!(said.error(), expected);
}

#[test]
fn credentials_that_are_none_are_named_and_not_repeated() {
    let secret = "s3cr3t";
    for (variable, value) in [
        ("VEXILLA_FLAGR_PASSWORD", secret),
        ("VEXILLA_FLAGR_USER", secret),
        ("VEXILLA_WEBHOOK_HEADER", secret),
    ] {
        let said = said(vexilla(["check", "examples/shop.json"]).env(variable, value));
        assert_eq!((said.status, said.stdout.as_str()), (1, ""));
        let expected = format!("error: environment variable {variable}: ");
        assert!(said.error().starts_with(&expected), "{}", said.stderr);
        assert!(!said.stderr.contains(secret), "{}", said.stderr);
    }
}

#[test]
fn a_notice_makes_a_changed_file_be_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flags.json");
    fs::write(&file, json!([flag("a-flag")]).to_string()).unwrap();
    let header = ("VEXILLA_WEBHOOK_HEADER", "X-Hook: from-flagr");
    let arguments =
        ["--flags", file.to_str().unwrap(), "--refresh-interval", "1h", "--log", "debug"];
    let mut sidecar = Sidecar::start_with(Beside::AdminAndWebhook, &[header], &arguments);
    sidecar.wait_for_log("Published");

    let mut off = flag("a-flag");
    off["Enabled"] = json!(false);
    let new = folder.path().join("new.json");
    fs::write(&new, json!([off]).to_string()).unwrap();
    fs::rename(&new, &file).unwrap();
    let notice = r#"{"operation":"update","flag_id":1,"flag_key":"a-flag"}"#;
    let webhook = sidecar.others[1].clone();
    let send = |headers: &[(&str, &str)]| {
        request_with(&webhook, "POST", "/webhook", headers, notice).status
    };
    assert_eq!(send(&[]), 401);
    assert_eq!(send(&[("X-Hook", "from-flagr")]), 200);
    sidecar.wait_for_log("Published");
    let answer = evaluate(&sidecar.address, r#"{"flagKey":"a-flag"}"#);
    assert_eq!(without_timestamp(&answer.body)["variantKey"], json!(null));
}

#[test]
fn a_sidecar_feeds_on_another_and_outlives_it() {
    let first = Sidecar::start(&SHOP);
    let url = first.url();
    let behind =
        ["--flagr", &url, "--archive", "off", "--log", "info", "--refresh-interval", "50ms"];
    let mut second = Sidecar::start(&behind);
    assert_eq!(second.loaded, format!("loaded 4 flags from Flagr at {url}"));
    let question = r#"{"entityID":"ana","flagKey":"payments-enabled"}"#;
    let answer = |sidecar: &Sidecar| without_timestamp(&evaluate(&sidecar.address, question).body);
    let expected = answer(&first);
    assert_eq!(answer(&second), expected);
    // A flag with buckets is the first one's to decide while it is there, and is decided alike when it is not.
    let rollout = r#"{"entityID":"ben","flagKey":"price-layout"}"#;
    let served = evaluate(&second.address, rollout);
    assert!(served.head.to_lowercase().contains("x-vexilla-source: remote"), "{}", served.head);

    drop(first);
    second.wait_for_log("the last good flags are served on");
    assert_eq!(answer(&second), expected);
    let alone = evaluate(&second.address, rollout);
    assert_eq!(without_timestamp(&alone.body), without_timestamp(&served.body));
    let export = request(&second.address, "GET", "/api/v1/export/eval_cache/json", "");
    assert_eq!((export.status, export.body.matches("\"Key\":\"search-config\"").count()), (200, 1));
}

#[test]
fn a_web_prefix_is_in_front_of_all_paths() {
    let sidecar = Sidecar::start(&[&SHOP[..], &["--web-prefix", "/flags/"]].concat());
    assert_eq!(request(&sidecar.address, "GET", "/flags/api/v1/health", "").status, 200);
    assert_eq!(request(&sidecar.address, "GET", "/api/v1/health", "").status, 404);
}

#[test]
fn openfeature_callers_are_answered_on_the_same_port() {
    let sidecar = Sidecar::start(&SHOP);
    let context = r#"{"context":{"targetingKey":"ana","device":{"kind":"phone"}}}"#;
    let one = |key: &str| {
        let path = format!("/ofrep/v1/evaluate/flags/{key}");
        let answered = request(&sidecar.address, "POST", &path, context);
        (answered.status, serde_json::from_str::<serde_json::Value>(&answered.body).unwrap())
    };
    let (status, enabled) = one("payments-enabled");
    assert_eq!((status, &enabled["value"], &enabled["variant"]), (200, &json!(true), &json!("on")));
    let (status, config) = one("search-config");
    assert_eq!((status, &config["value"], &config["variant"]), (200, &json!(10), &json!("small")));
    let (status, unknown) = one("no-such-flag");
    assert_eq!((status, &unknown["errorCode"]), (404, &json!("FLAG_NOT_FOUND")));

    let all = request(&sidecar.address, "POST", "/ofrep/v1/evaluate/flags", context);
    assert_eq!(all.status, 200);
    let body: serde_json::Value = serde_json::from_str(&all.body).unwrap();
    assert_eq!(body["flags"].as_array().unwrap().len(), 4);
    let tag = all.head.lines().find_map(|it| it.strip_prefix("etag: ")).expect("a tag");
    let known = [("If-None-Match", tag)];
    let again = request_with(&sidecar.address, "POST", "/ofrep/v1/evaluate/flags", &known, context);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

/// What the first request to a Flagr says, which is answered with an error.
fn asked_with(environment: &[(&str, &str)], command: &[&str]) -> String {
    let flagr = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", flagr.local_addr().unwrap());
    let mut command = vexilla(command.iter().chain(&["--flagr", &url]));
    command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (mut connection, _) = flagr.accept().unwrap();
    let mut head = String::new();
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).unwrap();
    }
    connection.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for (_, value) in environment {
        assert!(!said.contains(value), "{said}");
    }
    head
}

#[test]
fn a_flagr_behind_a_gate_is_told_who_asks() {
    for command in [&["serve", "--archive", "off"][..], &["check"], &["export"]] {
        let head = asked_with(&[("VEXILLA_FLAGR_TOKEN", "t0ken")], command);
        assert!(head.contains("authorization: Bearer t0ken\r\n"), "{command:?}: {head}");
    }
    let login = [("VEXILLA_FLAGR_USER", "me_myself"), ("VEXILLA_FLAGR_PASSWORD", "p4ss")];
    let head = asked_with(&login, &["check"]);
    assert!(head.contains("authorization: Basic bWVfbXlzZWxmOnA0c3M=\r\n"), "{head}");
}

#[cfg(unix)]
mod unix {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::process::Stdio;

    use super::{Beside, SHOP, Sidecar, request, run, vexilla};
    use crate::running::signal;

    #[test]
    fn a_signal_ends_all_servers() {
        let sidecar = Sidecar::start_with(Beside::AdminAndWebhook, &[], &SHOP);
        assert_eq!(request(&sidecar.others[0], "GET", "/health", "").status, 200);
        sidecar.signal("TERM");
        assert_eq!(sidecar.end(), (Some(0), String::new(), String::new()));
    }

    /// What a server at a Unix socket says of its health.
    fn health(path: &std::path::Path, target: &str) -> String {
        let mut connection = UnixStream::connect(path).unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn unix_sockets_are_addresses_too() {
        let folder = tempfile::tempdir().unwrap();
        let [sidecar, admin] = ["sidecar.sock", "admin.sock"].map(|it| folder.path().join(it));
        let [listen, admin_listen] = [&sidecar, &admin].map(|it| format!("unix:{}", it.display()));
        let arguments = ["serve", "--listen", &listen, "--admin-listen", &admin_listen];
        let mut child =
            vexilla(arguments.into_iter().chain(SHOP)).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let said: Vec<_> = std::iter::repeat_with(|| {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
            line
        })
        .take(3)
        .collect();
        assert_eq!(
            said[1..],
            [format!("listening on {listen}\n"), format!("admin on {admin_listen}\n")]
        );
        assert!(health(&sidecar, "/api/v1/health").starts_with("HTTP/1.1 200"));
        assert!(health(&admin, "/health").starts_with("HTTP/1.1 200"));
        let asked = vexilla(["health"]).env("VEXILLA_SIDECAR__LISTEN", &listen).output().unwrap();
        assert_eq!(String::from_utf8(asked.stdout).unwrap(), "OK\n");
        assert_eq!(run(["health", "--url", &listen]).ok(), "OK\n");
        let nobody = format!("unix:{}", folder.path().join("nobody.sock").display());
        let said = run(["health", "--url", &nobody]);
        assert_eq!((said.status, said.stdout.as_str()), (1, ""));
        assert!(said.error().starts_with(&format!("error: {nobody}: ")), "{}", said.stderr);
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(!sidecar.exists() && !admin.exists());
    }
}
