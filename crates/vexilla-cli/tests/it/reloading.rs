//! `vexilla serve` at a SIGHUP: what it reads anew.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::http::{evaluate, request, request_with};
use crate::running::{Beside, Sidecar};
use crate::serve::flag;
use crate::stub;

const SECRET: &str = "open-sesame";

/// Replaces the file whole.
fn write(folder: &Path, content: &str) {
    fs::write(folder.join("new.toml"), content).unwrap();
    fs::rename(folder.join("new.toml"), folder.join("vexilla.toml")).unwrap();
}

fn tagged(key: &str, id: u32, tag: &str) -> serde_json::Value {
    let mut flag = flag(key);
    flag["ID"] = json!(id);
    flag["Tags"] = json!([{ "Value": tag }]);
    flag
}

fn started(folder: &Path, content: &str) -> Sidecar {
    write(folder, content);
    let config = folder.join("vexilla.toml");
    let flags = json!([tagged("first", 1, "a"), tagged("second", 2, "b")]);
    Sidecar::with_flags(folder, &flags, &["--config", config.to_str().unwrap()])
}

fn variant(sidecar: &Sidecar, key: &str) -> serde_json::Value {
    let answer = evaluate(&sidecar.address, &json!({ "flagKey": key }).to_string());
    serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()["variantKey"].clone()
}

#[test]
fn a_hangup_changes_what_can_change_and_names_what_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let mut sidecar = started(folder.path(), "log.level = 'info'");
    assert_eq!(
        (variant(&sidecar, "first"), variant(&sidecar, "second")),
        (json!("on"), json!("on"))
    );

    write(
        folder.path(),
        "log.level = 'debug'\nfilter.tags = ['a']\nsidecar.max_body_bytes = 30\nredis.lease = '1m'",
    );
    sidecar.signal("HUP");
    sidecar.wait_for_log("`redis.lease` has changed, which takes effect at the next start only");
    sidecar.wait_for_log("DEBUG");
    sidecar.wait_for_log("read the configuration anew");
    assert_eq!(
        (variant(&sidecar, "first"), variant(&sidecar, "second")),
        (json!("on"), json!(null))
    );
    let long = json!({ "flagKey": "first", "entityID": "somebody" }).to_string();
    assert_eq!(evaluate(&sidecar.address, &long).status, 413);

    write(folder.path(), "log.level = 'info'");
    sidecar.signal("HUP");
    sidecar.wait_for_log("read the configuration anew");
    assert_eq!(
        (variant(&sidecar, "first"), variant(&sidecar, "second")),
        (json!("on"), json!("on"))
    );
    assert_eq!(evaluate(&sidecar.address, &long).status, 200);
}

#[test]
fn a_bad_file_changes_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, SECRET).unwrap();
    let secret = format!("admin.token_file = '{}'\n", token.display());
    let mut sidecar = started(folder.path(), &format!("{secret}log.level = 'info'"));
    for (content, reason) in [
        ("filter.tags = ['a']\nflagr.timeout = 'soon'", "flagr.timeout: `soon` is no duration"),
        ("filter.tag_patterns = ['(']", "filter.tag_patterns: "),
        ("[filter", "vexilla.toml, line 2: "),
        ("filter.tugs = ['a']", "there is no setting `filter.tugs`"),
    ] {
        write(folder.path(), &format!("{secret}{content}"));
        sidecar.signal("HUP");
        let line = sidecar.wait_for_log("the configuration stays as it was: ");
        assert!(line.contains(reason) && !line.contains(SECRET), "{line}");
        assert_eq!(variant(&sidecar, "second"), json!("on"));
    }
    write(folder.path(), &format!("{secret}log.level = 'info'"));
    fs::write(&token, "\n").unwrap();
    sidecar.signal("HUP");
    let line = sidecar.wait_for_log("the configuration stays as it was: ");
    assert!(line.contains("admin.token_file: ") && line.contains("is empty"), "{line}");
    assert_eq!(request(&sidecar.address, "GET", "/api/v1/health", "").status, 200);
    sidecar.signal("TERM");
    let (status, _, stderr) = sidecar.end();
    assert_eq!(status, Some(0));
    assert!(!stderr.contains(SECRET), "{stderr}");
}

/// A sidecar with its admin API and its webhook, by this file.
fn with_servers(folder: &Path, content: &str, more: &[&str]) -> Sidecar {
    write(folder, content);
    let config = folder.join("vexilla.toml");
    let arguments = [&["--config", config.to_str().unwrap()], more].concat();
    Sidecar::start_with(Beside::AdminAndWebhook, &[], &arguments)
}

/// Reads the configuration anew, and gives what has changed.
fn hangup(sidecar: &mut Sidecar) -> String {
    sidecar.signal("HUP");
    sidecar.wait_for_log("read the configuration anew")
}

#[test]
fn secrets_of_the_servers_are_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "old-token").unwrap();
    let content = |header: &str, more: &str| {
        let file = token.display();
        format!(
            "log.level = 'info'\nadmin.token_file = '{file}'\nwebhook.header = '{header}'\n{more}"
        )
    };
    let shop = ["--flags", "examples/shop.json"];
    let mut sidecar = with_servers(folder.path(), &content("X-Hook: old-hook", ""), &shop);
    let [admin, webhook] = [0, 1].map(|it: usize| sidecar.others[it].clone());
    let ask = |token: &str| {
        let header = ("Authorization", &*format!("Bearer {token}"));
        request_with(&admin, "GET", "/admin/stats", &[header], "").status
    };
    let notice = |hook: &str| {
        let body = r#"{"operation":"update","flag_id":1,"flag_key":"payments-enabled"}"#;
        request_with(&webhook, "POST", "/webhook", &[("X-Hook", hook)], body).status
    };
    assert_eq!((ask("old-token"), ask("new-token")), (200, 401));
    assert_eq!((notice("old-hook"), notice("new-hook")), (200, 401));

    // The secret in the file that is named, and the one in the configuration.
    fs::write(&token, "new-token").unwrap();
    write(folder.path(), &content("X-Hook: new-hook", ""));
    let said = hangup(&mut sidecar);
    assert!(said.contains(r#"["admin.token", "webhook.header"]"#), "{said}");
    assert_eq!((ask("old-token"), ask("new-token")), (401, 200));
    assert_eq!((notice("old-hook"), notice("new-hook")), (401, 200));

    // Limits too, of the servers and of their connections.
    let limits = "webhook.max_body_bytes = 10\nadmin.max_body_bytes = 10\nadmin.listener.max_header_bytes = '8KiB'\n";
    write(folder.path(), &content("X-Hook: new-hook", limits));
    hangup(&mut sidecar);
    assert_eq!(notice("new-hook"), 413);
    let header = [("Authorization", "Bearer new-token")];
    let explain = request_with(&admin, "POST", "/admin/explain", &header, r#"{"flag_key":"x"}"#);
    assert_eq!(explain.status, 413);
    let long = [("X-Long", &*"a".repeat(10_000))];
    assert_eq!(request_with(&admin, "GET", "/health", &long, "").status, 431);

    sidecar.signal("TERM");
    let (status, _, stderr) = sidecar.end();
    assert_eq!(status, Some(0));
    for secret in ["old-token", "new-token", "old-hook", "new-hook"] {
        assert!(!stderr.contains(secret), "{stderr}");
    }
}

#[test]
fn who_others_reach_does_not_lose_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let content = "log.level = 'info'\nadmin.token = 'a-token'\n";
    let config = folder.path().join("vexilla.toml");
    write(folder.path(), content);
    let arguments = ["--config", config.to_str().unwrap(), "--flags", "examples/shop.json"];
    let mut sidecar = Sidecar::start_with(Beside::AdminOn("0.0.0.0:0"), &[], &arguments);
    write(folder.path(), "log.level = 'info'\nsidecar.max_body_bytes = 10");
    sidecar.signal("HUP");
    let line = sidecar.wait_for_log("the configuration stays as it was: ");
    assert!(line.contains(": admin.token: others than this machine reach the address"), "{line}");
    let long = json!({ "flagKey": "payments-enabled" }).to_string();
    assert_eq!(evaluate(&sidecar.address, &long).status, 200, "nothing has changed");
    write(folder.path(), content);
    assert!(hangup(&mut sidecar).contains("changed=[]"));
}

#[test]
fn credentials_for_flagr_are_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let (flagr, asked) = stub::serve(|asked| match &*asked.what {
        "GET /api/v1/flags/snapshots/max_id" => (200, json!({ "maxID": 1 }).to_string()),
        "GET /api/v1/export/eval_cache/json" => {
            (200, json!({ "Flags": [flag("first")] }).to_string())
        }
        _ => (404, "{}".to_owned()),
    });
    let token = folder.path().join("token");
    fs::write(&token, "old-token").unwrap();
    let content = |more: &str| {
        let file = token.display();
        format!(
            "log.level = 'info'\nflagr.url = 'http://{flagr}'\nflagr.token_file = '{file}'\narchive.dir = 'off'\n{more}"
        )
    };
    let mut sidecar = with_servers(folder.path(), &content(""), &[]);
    fs::write(&token, "new-token").unwrap();
    let said = hangup(&mut sidecar);
    assert!(said.contains(r#"["flagr.token"]"#), "{said}");
    // It is asked at once, which shows whether they are right.
    let tokens: Vec<_> = asked.try_iter().map(|it| it.head.contains("bearer new-token")).collect();
    assert_eq!(tokens.iter().position(|it| *it), Some(2), "{tokens:?}");
    assert!(tokens.iter().skip(2).all(|it| *it), "{tokens:?}");

    write(folder.path(), &content("flagr.header = 'X Y: z'\n"));
    sidecar.signal("HUP");
    let line = sidecar.wait_for_log("the configuration stays as it was: ");
    assert!(line.contains("flagr.header: is set beside a token"), "{line}");
    write(folder.path(), &content("flagr.timeout = '4s'\n"));
    sidecar.signal("HUP");
    sidecar.wait_for_log("`flagr.timeout` has changed, which takes effect at the next start only");
}
