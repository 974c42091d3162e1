//! What a sidecar in front of a Flagr hands on to it.

use vexilla::{Client, Sidecar, SidecarConfig, StartPolicy};

use crate::scripted::{constraint, flag};
use crate::upstream::{Upstream, on, through};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn client(flagr: &Upstream) -> Client {
    Client::builder().flagr_with(flagr.config()).start().await.unwrap()
}

fn sidecar(client: &Client, change: impl FnOnce(&mut SidecarConfig)) -> Sidecar {
    let mut config = SidecarConfig::default();
    change(&mut config);
    client.sidecar(config)
}

#[tokio::test]
async fn who_writes_through_the_sidecar_reads_its_own_write() {
    let flagr = Upstream::start(&["a", "b"]).await;
    let client = client(&flagr).await;
    let sidecar = sidecar(&client, |it| it.pass_through = true);
    for enabled in [false, true] {
        let body = format!(r#"{{"enabled":{enabled}}}"#);
        let answered = through(&sidecar, "PUT /api/v1/flags/1/enabled", &[JSON], &body).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
        assert_eq!((on(&client, "a"), on(&client, "b")), (enabled, true));
        let body = r#"{"flagKey":"a"}"#;
        let answered = through(&sidecar, "POST /api/v1/evaluation", &[JSON], body).await;
        assert_eq!(answered.json()["variantKey"].as_str(), enabled.then_some("on"));
    }
    // The UI and the list of flags are Flagr's.
    assert_eq!(through(&sidecar, "GET /", &[], "").await.body, "<html>Flagr");
    assert_eq!(through(&sidecar, "GET /api/v1/flags", &[], "").await.status, 200);
}

#[tokio::test]
async fn without_pass_through_nothing_is_handed_on() {
    let flagr = Upstream::start(&["a"]).await;
    let client = client(&flagr).await;
    let sidecar = sidecar(&client, |_| {});
    let body = r#"{"enabled":false}"#;
    let answered = through(&sidecar, "PUT /api/v1/flags/1/enabled", &[JSON], body).await;
    assert_eq!((answered.status, on(&client, "a")), (501, true));
    assert_eq!(through(&sidecar, "POST /api/v1/exposures", &[JSON], "{}").await.status, 422);
    assert_eq!((flagr.asked("PUT"), flagr.asked("POST")), (0, 0));
}

#[tokio::test]
async fn a_web_prefix_is_the_sidecars_own() {
    let flagr = Upstream::start(&["a"]).await;
    let client = client(&flagr).await;
    let sidecar = sidecar(&client, |it| {
        it.pass_through = true;
        it.web_prefix = "/flags".to_owned();
    });
    assert_eq!(through(&sidecar, "GET /flags/ui?page=2", &[], "").await.body, "<html>Flagr");
    let answered = through(&sidecar, "POST /flags/api/v1/exposures", &[JSON], "{}").await;
    assert_eq!((answered.status, flagr.asked("GET /ui")), (422, 1));
}

#[tokio::test]
async fn a_flag_that_reads_headers_gets_to_flagr_with_the_callers_own() {
    let flagr = Upstream::start(&[]).await;
    let reading = flag(1, "by-header", &constraint("@http_x_country", "EQ", "\"US\""));
    flagr.state().put(1, serde_json::from_str(&reading).unwrap());
    let client = client(&flagr).await;
    let sidecar = sidecar(&client, |_| {});
    let trace = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let mine = [("authorization", "Bearer mine"), ("cookie", "a=b")];
    let headers = [JSON, ("x-country", "US"), mine[0], mine[1], trace];
    let body = r#"{"flagKey":"by-header","entityID":"u"}"#;
    let answered = through(&sidecar, "POST /api/v1/evaluation", &headers, body).await;
    assert_eq!(answered.json()["variantKey"], "flagrs");
    assert_eq!(answered.headers["x-vexilla-source"], "remote");
    let state = flagr.state();
    let sent = &state.headers[0];
    assert_eq!(sent["x-country"], "US");
    assert_eq!(sent[trace.0], trace.1, "the caller's trace goes on where we tell none");
    assert!(!sent.contains_key("authorization") && !sent.contains_key("cookie"), "{sent:?}");
}

#[tokio::test]
async fn who_feeds_on_the_export_keeps_what_it_has_while_nothing_is_loaded() {
    let empty = Client::builder()
        .flags_file("no/such/file.json")
        .export(vexilla::ExportPolicy::Keep)
        .on_start(StartPolicy::ComeUpEmpty);
    let sidecar = sidecar(&empty.start().await.unwrap(), |_| {});
    let answered = through(&sidecar, "GET /api/v1/export/eval_cache/json", &[], "").await;
    assert_eq!(answered.status, 503);
    // JSON would empty a Flagr that reads it as its `json_http` source.
    assert!(answered.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    serde_json::from_str::<serde_json::Value>(&answered.body).unwrap_err();
}
