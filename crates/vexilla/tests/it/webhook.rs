//! Changes that Flagr tells of arrive, whatever they are, and many at once cost few reads.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use vexilla::{Changes, Client, Secret, SystemClock, WebhookConfig, WebhookHeader};
use vexilla_domain::Clock;

use crate::upstream::{Upstream, ask, on};

/// As Flagr sends it where it is told to.
const RIGHT: (&str, &str) = ("Authorization", "Bearer hook-secret");

async fn client(flagr: &Upstream) -> Client {
    let mut config = WebhookConfig::default();
    config.header = Some(WebhookHeader::bearer("hook-secret"));
    config.signing_secret = Some(Secret::from("shared"));
    let builder = Client::builder().flagr_with(flagr.config());
    builder.webhook("127.0.0.1:0", config).start().await.unwrap()
}

async fn send(client: &Client, headers: &[(&str, &str)], body: &str) -> u16 {
    ask(client.webhook_address().unwrap(), "POST /webhook", headers, body).await.0
}

/// Flagr's notification.
fn notice(operation: &str, id: u64, key: &str) -> String {
    json!({
        "operation": operation, "flag_id": id, "flag_key": key, "component_type": "flag",
        "component_id": id, "component_key": key, "timestamp": "2026-11-23T00:29:23.580438093Z",
    })
    .to_string()
}

/// Waits until a publication has this key in what it changed.
async fn arrives(changes: &mut Changes, key: &str) {
    loop {
        let change = changes.next().await.unwrap();
        let mut all = change.added.iter().chain(&change.changed).chain(&change.removed);
        if all.any(|it| **it == *key) {
            return;
        }
    }
}

/// The notices that a Flagr has sent, with their headers.
fn recorded() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/recordings/flagr-http.json");
    let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    recording["webhooks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_recorded_notice_makes_a_change_arrive() {
    let flagr = Upstream::start(&["checkout", "other"]).await;
    let client = client(&flagr).await;
    let mut changes = client.subscribe();
    let recorded = recorded();
    let body = recorded[0]["body"].as_str().unwrap();
    assert_eq!(recorded[0]["headers"]["authorization"], RIGHT.1);

    flagr.state().set_enabled(1, false);
    assert_eq!(send(&client, &[], body).await, 401);
    assert_eq!(send(&client, &[("Authorization", "Bearer wrong")], body).await, 401);
    assert_eq!(send(&client, &[RIGHT], body).await, 200);
    arrives(&mut changes, "checkout").await;
    assert!(!on(&client, "checkout") && on(&client, "other"));
}

#[tokio::test]
async fn whatever_became_of_a_flag_arrives() {
    let flagr = Upstream::start(&["old-name", "deleted"]).await;
    let client = client(&flagr).await;
    let mut changes = client.subscribe();

    flagr.state().rename(1, "new-name");
    assert_eq!(send(&client, &[RIGHT], &notice("update", 1, "new-name")).await, 200);
    arrives(&mut changes, "new-name").await;
    assert!(
        on(&client, "new-name")
            && client.explain("old-name", &vexilla::Context::new("u")).is_none()
    );

    flagr.state().delete(2);
    assert_eq!(send(&client, &[RIGHT], &notice("delete", 2, "deleted")).await, 200);
    arrives(&mut changes, "deleted").await;
    assert!(!on(&client, "deleted"));

    let restored = serde_json::from_str(&crate::scripted::flag(2, "deleted", "")).unwrap();
    flagr.state().put(2, restored);
    assert_eq!(send(&client, &[RIGHT], &notice("restore", 2, "deleted")).await, 200);
    arrives(&mut changes, "deleted").await;
    assert!(on(&client, "deleted"));
}

fn sign(key: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let mut digits = String::new();
    mac.finalize().into_bytes().iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
    digits
}

/// The present in RFC 3339, which only a signed notice has to tell.
fn now() -> String {
    let seconds = SystemClock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap().to_string()
}

#[tokio::test]
async fn a_signed_notice_makes_a_change_arrive() {
    let flagr = Upstream::start(&["a", "b"]).await;
    let client = client(&flagr).await;
    let mut changes = client.subscribe();
    for (id, key, prefix) in [(1, "a", ""), (2, "b", "sha256=")] {
        let body = json!({"event": "flag.updated", "flag_keys": [key], "timestamp": now()});
        let body = body.to_string();
        flagr.state().set_enabled(id, false);
        let wrong = sign("another", &body);
        assert_eq!(send(&client, &[("X-Webhook-Signature", &wrong)], &body).await, 401);
        let right = format!("{prefix}{}", sign("shared", &body));
        assert_eq!(send(&client, &[("X-Webhook-Signature", &right)], &body).await, 200);
        arrives(&mut changes, key).await;
        assert!(!on(&client, key));
    }
}

/// Sends a thousand notices of ten flags that changed, and counts what Flagr is asked until all of it has arrived. The
/// first read is held up until all notices are there, so that no machine is too slow for it.
async fn burst(send_notice: impl AsyncFn(&Client, usize, u64, &str)) -> usize {
    let keys: Vec<_> = (0..10).map(|it| format!("flag-{it}")).collect();
    let flagr = Upstream::start(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    flagr.lag(Duration::from_secs(3));
    let client = client(&flagr).await;
    let before = flagr.asked("");
    let mut changes = client.subscribe();
    let (mut arrived, go_on) = flagr.hold_next_read();

    send_notice(&client, 0, 1, "flag-0").await;
    arrived.recv().await.unwrap();
    for id in 1..=10 {
        flagr.state().set_enabled(id, false);
    }
    for (count, id) in (1..1_000).zip((0..10).cycle()) {
        send_notice(&client, count, id + 1, &format!("flag-{id}")).await;
    }
    go_on.send(()).unwrap();

    let mut missing: BTreeSet<_> = keys.iter().map(String::as_str).collect();
    while !missing.is_empty() {
        let change = changes.next().await.unwrap();
        missing.retain(|it| !change.changed.iter().any(|changed| **changed == **it));
    }
    assert!(keys.iter().all(|it| !on(&client, it)));
    flagr.all_is_shown().await;
    client.stop().await;
    flagr.asked("") - before
}

#[tokio::test]
async fn a_thousand_notices_of_ten_flags_are_at_most_twenty_requests() {
    let asked = burst(async |client, _, id, key| {
        assert_eq!(send(client, &[RIGHT], &notice("update", id, key)).await, 200);
    });
    let asked = asked.await;
    assert!((4..=20).contains(&asked), "{asked} requests");
}

#[tokio::test]
async fn so_are_a_thousand_signed_ones() {
    let asked = burst(async |client, count, _, key| {
        let (event, time) = ("flag.updated", now());
        let body = json!({"event": event, "flag_keys": [key], "timestamp": time, "count": count});
        let body = body.to_string();
        let signature = sign("shared", &body);
        assert_eq!(send(client, &[("X-Webhook-Signature", &signature)], &body).await, 200);
    });
    let asked = asked.await;
    assert!((4..=20).contains(&asked), "{asked} requests");
}
