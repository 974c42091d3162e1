//! What a client does is a tree of spans, and part of the traces that its callers are in.

#![expect(clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tracing_subscriber::prelude::*;
use vexilla::{
    AdminConfig, Client, ClientBuilder, Context, MemoryArchive, OtlpProtocol, OtlpSettings,
    SidecarConfig, StartPolicy, Telemetry, TelemetryConfig, WebhookConfig,
};

use crate::collector::{Collector, attributes};
use crate::routing::split;
use crate::upstream::{Upstream, ask, through};

const FREE: &str = "127.0.0.1:0";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: (&str, &str) =
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
const STATE: (&str, &str) = ("tracestate", "vendor=1");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// The spans of what is done with a client.
async fn spans(work: impl AsyncFnOnce(ClientBuilder)) -> Vec<Span> {
    let (collector, address) = Collector::start().await;
    let mut config = TelemetryConfig::default();
    config.otlp = OtlpSettings::to(&address, OtlpProtocol::Grpc);
    config.otlp.interval = Duration::from_secs(3600);
    config.otlp.span_delay = Duration::from_secs(3600);
    let telemetry = Telemetry::start(&config).unwrap();
    let layer = telemetry.otlp().unwrap().layer();
    // This thread's alone, and all tasks of the test run on it.
    let subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    work(Client::builder().telemetry(telemetry.clone())).await;
    drop(subscriber);
    telemetry.shutdown(LONG).await.unwrap();
    collector.spans()
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

fn children<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a str> {
    let children = spans.iter().filter(|it| it.parent_span_id == parent.span_id);
    let mut names: Vec<_> = children.map(|it| (it.start_time_unix_nano, &*it.name)).collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|it| it.code == StatusCode::Error as i32)
}

#[tokio::test]
async fn a_start_is_a_tree_of_spans() {
    let flagr = Upstream::start(&["a", "b"]).await;
    let archive = std::sync::Arc::new(MemoryArchive::default());
    let spans = spans(async |builder| {
        let client = builder.flagr_with(flagr.config()).archive(archive).start().await.unwrap();
        client.refresh().await.unwrap();
        client.stop().await;
    })
    .await;
    let start = named(&spans, "start");
    assert!(start.parent_span_id.is_empty());
    assert_eq!(children(&spans, start), ["archive_load", "refresh"]);
    let refresh =
        spans.iter().find(|it| it.parent_span_id == start.span_id && it.name == "refresh");
    let refresh = refresh.unwrap();
    assert_eq!(children(&spans, refresh), ["fetch", "compile", "publish", "archive_save"]);
    let about = attributes(&refresh.attributes);
    assert!(about.contains("{refresh.outcome=changed} {ruleset.revision=0.1}"), "{about}");
    // The one that was asked for stands alone, and finds nothing new.
    let later = spans.iter().find(|it| it.name == "refresh" && it.parent_span_id.is_empty());
    let later = later.unwrap();
    assert_eq!(children(&spans, later), ["fetch"]);
    assert!(attributes(&later.attributes).contains("{refresh.outcome=unchanged}"));
    assert!(!spans.iter().any(is_error), "{spans:?}");
}

#[tokio::test]
async fn what_fails_is_an_error_on_its_span() {
    let spans = spans(async |builder| {
        let client = builder.flags_file("no/such/file.json").on_start(StartPolicy::ComeUpEmpty);
        client.start().await.unwrap().stop().await;
    })
    .await;
    for name in ["refresh", "fetch"] {
        let span = named(&spans, name);
        assert!(is_error(span), "{span:?}");
        let said = &span.status.as_ref().unwrap().message;
        assert!(said.contains("no/such/file.json"), "{name}: {said}");
    }
    assert!(!is_error(named(&spans, "start")), "it came up");
}

#[tokio::test]
async fn a_trace_goes_from_a_request_through_to_flagr() {
    let flagr = Upstream::start(&[]).await;
    flagr.state().put(1, serde_json::from_str(&split(1, "split")).unwrap());
    let spans = spans(async |builder| {
        let client = builder.flagr_with(flagr.config()).start().await.unwrap();
        let sidecar = client.sidecar(SidecarConfig::default());
        let body = r#"{"entityID":"whom-it-is-for","flagKey":"split"}"#;
        let headers = [JSON, PARENT, STATE, ("x-country", "DE")];
        let answered = through(&sidecar, "POST /api/v1/evaluation", &headers, body).await;
        assert!(answered.body.contains("flagrs"), "{}", answered.body);
        // The trace is no part of the question: another one gets the answer that is kept.
        let other = ("traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let headers = [JSON, other, ("x-country", "DE")];
        let answered = through(&sidecar, "POST /api/v1/evaluation", &headers, body).await;
        assert_eq!(answered.headers.get("x-vexilla-source").unwrap(), "remote_cached");
        client.stop().await;
    })
    .await;

    let ours = |name: &str| {
        let span = spans.iter().find(|it| it.name == name && hex(&it.trace_id) == TRACE);
        span.unwrap_or_else(|| panic!("no {name} in {spans:?}"))
    };
    let (request, remote) = (ours("sidecar"), ours("remote_evaluation"));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(remote.parent_span_id, request.span_id);
    let about = attributes(&request.attributes);
    assert!(about.contains("{http.route=/api/v1/evaluation}"), "{about}");
    assert!(!format!("{spans:?}").contains("whom-it-is-for"), "{spans:?}");

    let headers = flagr.state().headers.clone();
    let [headers] = &headers[..] else { panic!("asked {} times", headers.len()) };
    let handed_on = format!("00-{TRACE}-{}-01", hex(&remote.span_id));
    assert_eq!(headers.get("traceparent").unwrap(), handed_on.as_str());
    assert_eq!(headers.get("tracestate").unwrap(), "vendor=1");
    assert_eq!(headers.get("x-country").unwrap(), "DE");
}

#[tokio::test]
async fn the_admin_api_and_the_webhook_are_part_of_traces_too() {
    let spans = spans(async |builder| {
        let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
        let builder = builder.flags_file(flags).admin(FREE, AdminConfig::default());
        let client = builder.webhook(FREE, WebhookConfig::default()).start().await.unwrap();
        let headers = [PARENT, JSON];
        let (admin, webhook) = (client.admin_address(), client.webhook_address());
        let (status, _) = ask(admin.unwrap(), "GET /admin/flags/nobody", &headers, "").await;
        assert_eq!(status, 404);
        let (status, _) = ask(webhook.unwrap(), "POST /webhook", &headers, "no notice").await;
        assert_eq!(status, 400);
        client.stop().await;
    })
    .await;
    for (name, route, status) in
        [("admin", "/admin/flags/{key}", "404"), ("webhook", "/webhook", "400")]
    {
        let span = named(&spans, name);
        assert_eq!(hex(&span.trace_id), TRACE);
        let about = attributes(&span.attributes);
        assert!(about.contains(&format!("{{http.route={route}}}")), "{about}");
        assert!(about.contains(status), "{about}");
        assert!(!is_error(span), "it is the caller's");
    }
}

#[tokio::test]
async fn evaluations_are_events_where_that_is_wanted() {
    for (wanted, count) in [(vexilla::FlagEvents::Off, 0), (vexilla::FlagEvents::On, 2)] {
        let spans = spans(async |builder| {
            let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
            let client = builder.flags_file(flags).flag_events(wanted).start().await.unwrap();
            let sidecar = client.sidecar(SidecarConfig::default());
            let body = r#"{"entityID":"ana","flagKey":"payments-enabled"}"#;
            through(&sidecar, "POST /api/v1/evaluation", &[JSON], body).await;
            let span = tracing::info_span!(target: "vexilla::test", "request");
            span.in_scope(|| client.local().evaluate("payments-enabled", &Context::new("ana")));
            client.stop().await;
        })
        .await;
        let events: Vec<_> = spans.iter().flat_map(|it| &it.events).collect();
        let evaluations = events.iter().filter(|it| it.name == "feature_flag.evaluation");
        assert_eq!(evaluations.count(), count, "{events:?}");
        assert!(!format!("{events:?}").contains("ana\""), "{events:?}");
    }
}
