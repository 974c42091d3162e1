//! A running client, as a collector and Prometheus see it.

use std::sync::Arc;
use std::time::Duration;

use vexilla::{
    AdminConfig, Client, Context, MemoryArchive, OtlpProtocol, OtlpSettings, Secret, Telemetry,
    TelemetryConfig, WebhookConfig, WebhookHeader,
};

use crate::collector::{Collector, read};
use crate::routing::split;
use crate::scripted::flag;
use crate::upstream::{Upstream, ask};

const FREE: &str = "127.0.0.1:0";

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// Name, unit, kind, attributes, value; of what is measured only how often.
const EXPECTED: &[&str] = &[
    "vexilla.archive.duration [s] histogram {outcome=saved} in 1",
    "vexilla.archive.failing [1] gauge {archive=memory} 0",
    "vexilla.archive.saves [{save}] counter {outcome=failed} 0",
    "vexilla.archive.saves [{save}] counter {outcome=saved} 1",
    "vexilla.archive.saves [{save}] counter {outcome=superseded} 0",
    "vexilla.cache.hits [{evaluation}] counter 257",
    "vexilla.cache.misses [{evaluation}] counter 2",
    "vexilla.circuit.state [{state}] gauge 0",
    "vexilla.circuit.transitions [{transition}] counter {state=closed} 0",
    "vexilla.circuit.transitions [{transition}] counter {state=half-open} 0",
    "vexilla.circuit.transitions [{transition}] counter {state=open} 0",
    "vexilla.evaluation.duration [s] histogram in 1",
    "vexilla.evaluations [{evaluation}] counter {reason=NOT_FOUND} {source=local} {strategy=local} 1",
    "vexilla.evaluations [{evaluation}] counter {reason=STATIC} {source=local} {strategy=local} 256",
    "vexilla.evaluations [{evaluation}] counter {reason=TARGETING_MATCH} {source=remote_cached} {strategy=remote} 1",
    "vexilla.evaluations [{evaluation}] counter {reason=TARGETING_MATCH} {source=remote} {strategy=remote} 1",
    "vexilla.exposures.dropped [{exposure}] counter 0",
    "vexilla.exposures.queue.size [By] gauge 0",
    "vexilla.exposures.queued [{exposure}] gauge 0",
    "vexilla.exposures.refused [{exposure}] counter 0",
    "vexilla.exposures.rejected [{exposure}] counter 0",
    "vexilla.exposures.sent [{exposure}] counter 0",
    "vexilla.flag.evaluations [{evaluation}] counter {flag=a} 256",
    "vexilla.flag.evaluations [{evaluation}] counter {flag=other} 3",
    "vexilla.flags.filtered [{flag}] gauge 0",
    "vexilla.flags.quarantined [{flag}] gauge 0",
    "vexilla.records.lost [{record}] counter 0",
    "vexilla.refresh.consecutive_failures [{refresh}] gauge 0",
    "vexilla.refresh.duration [s] histogram {outcome=changed} in 1",
    "vexilla.refresh.duration [s] histogram {outcome=unchanged} in 1",
    "vexilla.refresh.failure [{refresh}] counter 0",
    "vexilla.refresh.success [{refresh}] counter 2",
    "vexilla.remote.cache.entries [{answer}] gauge 1",
    "vexilla.remote.cache.evictions [{eviction}] counter 0",
    "vexilla.remote.cache.insertions [{insertion}] counter 1",
    "vexilla.remote.cache.limit [By] gauge 67108864",
    "vexilla.remote.cache.reads [{read}] counter {outcome=hit} 1",
    "vexilla.remote.cache.reads [{read}] counter {outcome=miss} 1",
    "vexilla.remote.cache.reads [{read}] counter {outcome=stale} 0",
    "vexilla.remote.cache.rejections [{insertion}] counter 0",
    "vexilla.remote.cache.size [By] gauge ",
    "vexilla.remote.duration [s] histogram {outcome=answered} in 1",
    "vexilla.ruleset.age [s] gauge ",
    "vexilla.ruleset.document [By] gauge 0",
    "vexilla.ruleset.flags [{flag}] gauge 2",
    "vexilla.ruleset.stale [1] gauge 0",
    "vexilla.webhook.received [{request}] counter {outcome=accepted} 0",
    "vexilla.webhook.received [{request}] counter {outcome=failed} 0",
    "vexilla.webhook.received [{request}] counter {outcome=ignored} 0",
    "vexilla.webhook.received [{request}] counter {outcome=malformed} 0",
    "vexilla.webhook.received [{request}] counter {outcome=too_large} 0",
    "vexilla.webhook.received [{request}] counter {outcome=unauthorized} 1",
];

/// What is measured and not counted.
const MEASURED: [&str; 2] =
    ["vexilla.ruleset.age [s] gauge ", "vexilla.remote.cache.size [By] gauge "];

/// A value without how long something took, or how large it is.
fn steady(value: &str) -> String {
    match value.rsplit_once(" in ") {
        Some((head, count)) if value.contains(" histogram") => {
            let (head, _) = head.rsplit_once(' ').unwrap();
            format!("{head} in {count}")
        }
        _ => {
            let measured = MEASURED.into_iter().find(|it| value.starts_with(it));
            assert!(measured.is_none() || !value.ends_with(" 0"), "{value}");
            measured.unwrap_or(value).to_owned()
        }
    }
}

/// One thread, so that all evaluations are counted in one place.
#[tokio::test]
async fn a_collector_sees_what_a_client_does() {
    let flagr = Upstream::start(&[]).await;
    flagr.state().put(1, serde_json::from_str(&split(1, "split")).unwrap());
    flagr.state().put(2, serde_json::from_str(&flag(2, "a", "")).unwrap());
    let (collector, address) = Collector::start().await;
    let mut config = TelemetryConfig::default();
    config.flags = 1;
    config.otlp = OtlpSettings::to(&address, OtlpProtocol::Grpc);
    config.otlp.interval = Duration::from_secs(3600);
    let telemetry = Telemetry::start(&config).unwrap();
    let mut webhook = WebhookConfig::default();
    webhook.header = Some(WebhookHeader::bearer("hook-secret"));

    let client = Client::builder()
        .flagr_with(flagr.config())
        .archive(Arc::new(MemoryArchive::default()))
        .telemetry(telemetry.clone())
        .webhook(FREE, webhook)
        .start()
        .await
        .unwrap();
    client.refresh().await.unwrap();
    let ctx = Context::new("u1");
    for _ in 0..256 {
        assert!(client.local().evaluate_with("a", &ctx, |it| it.variant_key() == Some("on")));
    }
    for _ in 0..2 {
        assert_eq!(client.evaluate("split", &ctx).await.variant_key(), Some("flagrs"));
    }
    client.local().evaluate("nobody", &ctx);
    let (status, _) = ask(client.webhook_address().unwrap(), "POST /webhook", &[], "").await;
    assert_eq!(status, 401);
    // Read while the client is there: what is sent at the end is read then.
    telemetry.shutdown(LONG).await.unwrap();

    let requests = collector.metrics.lock().unwrap().clone();
    let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
    let values: Vec<_> = read(request).0.iter().map(|it| steady(it)).collect();
    assert_eq!(values, EXPECTED);
    client.stop().await;
}

#[tokio::test]
async fn a_client_of_its_own_telemetry_sends_what_is_left_when_it_stops() {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let (collector, address) = Collector::start().await;
    let settings = OtlpSettings::to(&address, OtlpProtocol::Grpc);
    let client = Client::builder().flags_file(flags).otlp(settings).start().await.unwrap();
    client.stop().await;
    assert_eq!(collector.metrics.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn prometheus_reads_the_admin_api_without_its_token() {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let builder = || {
        let mut config = AdminConfig::default();
        config.token = Some(Secret::from("hush"));
        Client::builder().flags_file(flags).admin(FREE, config)
    };
    let plain = builder().start().await.unwrap();
    let (status, _) = ask(plain.admin_address().unwrap(), "GET /metrics", &[], "").await;
    assert_eq!((status, plain.prometheus()), (404, None), "nobody asked for it");

    let client = builder().prometheus().flag_metrics(2).start().await.unwrap();
    client.local().evaluate("payments-enabled", &Context::new("u1"));
    let (status, text) = ask(client.admin_address().unwrap(), "GET /metrics", &[], "").await;
    assert_eq!(status, 200);
    for line in [
        "vexilla_ruleset_flags 4.0",
        "vexilla_refresh_success_total 1",
        r#"vexilla_flag_evaluations_total{flag="payments-enabled"} 1"#,
        r#"vexilla_refresh_duration_seconds_count{outcome="changed"} 1"#,
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn a_client_is_not_kept_by_what_shows_it() {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let mut config = TelemetryConfig::default();
    config.prometheus = true;
    let telemetry = Telemetry::start(&config).unwrap();
    let builder = Client::builder().flags_file(flags).telemetry(telemetry.clone());
    let client = builder.start().await.unwrap();
    let flags = |telemetry: &Telemetry| {
        let text = telemetry.prometheus().unwrap();
        text.lines().find_map(|it| it.strip_prefix("vexilla_ruleset_flags ")).unwrap().to_owned()
    };
    assert_eq!(flags(&telemetry), "4.0");
    client.stop().await;
    drop(client);
    assert_eq!(flags(&telemetry), "0.0");
}
