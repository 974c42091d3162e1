//! Every instrument, over gRPC.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use vexilla_domain::Secret;
use vexilla_telemetry::{OtlpSettings, Protocol};

use crate::collector::{Collector, attributes, read};
use crate::{LONG, measure, start, start_with};

/// Name, unit, kind, attributes, value.
pub(crate) const EXPECTED: &[&str] = &[
    "vexilla.archive.duration [s] histogram {outcome=saved} 2 in 1",
    "vexilla.archive.failing [1] gauge {archive=/var/cache/vexilla} 0",
    "vexilla.archive.failing [1] gauge {archive=redis 127.0.0.1:6379/0} 1",
    "vexilla.archive.leads [1] gauge 1",
    "vexilla.archive.saves [{save}] counter {outcome=failed} 0",
    "vexilla.archive.saves [{save}] counter {outcome=saved} 1",
    "vexilla.archive.saves [{save}] counter {outcome=superseded} 0",
    "vexilla.bodies.entries [{flag}] gauge 100",
    "vexilla.bodies.evictions [{eviction}] counter 40",
    "vexilla.bodies.insertions [{insertion}] counter 200",
    "vexilla.bodies.limit [By] gauge 30000",
    "vexilla.bodies.reads [{read}] counter {outcome=hit} 298",
    "vexilla.bodies.reads [{read}] counter {outcome=miss} 200",
    "vexilla.bodies.reads [{read}] counter {outcome=stale} 2",
    "vexilla.bodies.rejections [{insertion}] counter 50",
    "vexilla.bodies.size [By] gauge 20000",
    "vexilla.cache.hits [{evaluation}] counter 7",
    "vexilla.cache.misses [{evaluation}] counter 1",
    "vexilla.circuit.state [{state}] gauge 1",
    "vexilla.circuit.transitions [{transition}] counter {state=closed} 0",
    "vexilla.circuit.transitions [{transition}] counter {state=half-open} 0",
    "vexilla.circuit.transitions [{transition}] counter {state=open} 1",
    "vexilla.evaluation.duration [s] histogram 1 in 1",
    "vexilla.evaluations [{evaluation}] counter {reason=FALLBACK} {source=fallback} {strategy=none} 1",
    "vexilla.evaluations [{evaluation}] counter {reason=STATIC} {source=local} {strategy=local} 7",
    "vexilla.exposures.dropped [{exposure}] counter 8",
    "vexilla.exposures.queue.size [By] gauge 700",
    "vexilla.exposures.queued [{exposure}] gauge 7",
    "vexilla.exposures.refused [{exposure}] counter 3",
    "vexilla.exposures.rejected [{exposure}] counter 2",
    "vexilla.exposures.sent [{exposure}] counter 100",
    "vexilla.flag.evaluations [{evaluation}] counter {flag=dark-mode} 1",
    "vexilla.flag.evaluations [{evaluation}] counter {flag=other} 0",
    "vexilla.flags.filtered [{flag}] gauge 6",
    "vexilla.flags.quarantined [{flag}] gauge 5",
    "vexilla.records.lost [{record}] counter 2",
    "vexilla.refresh.consecutive_failures [{refresh}] gauge 2",
    "vexilla.refresh.duration [s] histogram {outcome=changed} 0.25 in 1",
    "vexilla.refresh.failure [{refresh}] counter 4",
    "vexilla.refresh.success [{refresh}] counter 11",
    "vexilla.remote.cache.entries [{answer}] gauge 10",
    "vexilla.remote.cache.evictions [{eviction}] counter 4",
    "vexilla.remote.cache.insertions [{insertion}] counter 20",
    "vexilla.remote.cache.limit [By] gauge 3000",
    "vexilla.remote.cache.reads [{read}] counter {outcome=hit} 1",
    "vexilla.remote.cache.reads [{read}] counter {outcome=miss} 0",
    "vexilla.remote.cache.reads [{read}] counter {outcome=stale} 0",
    "vexilla.remote.cache.rejections [{insertion}] counter 5",
    "vexilla.remote.cache.size [By] gauge 2000",
    "vexilla.remote.duration [s] histogram {outcome=failed} 0.5 in 1",
    "vexilla.replays.dropped [{evaluation}] counter 6",
    "vexilla.replays.queue.size [By] gauge 900",
    "vexilla.replays.queued [{evaluation}] gauge 9",
    "vexilla.replays.refused [{evaluation}] counter 1",
    "vexilla.replays.sent [{evaluation}] counter 200",
    "vexilla.ruleset.age [s] gauge 1.5",
    "vexilla.ruleset.document [By] gauge 4096",
    "vexilla.ruleset.flags [{flag}] gauge 100",
    "vexilla.ruleset.stale [1] gauge 1",
    "vexilla.webhook.received [{request}] counter {outcome=accepted} 1",
    "vexilla.webhook.received [{request}] counter {outcome=failed} 0",
    "vexilla.webhook.received [{request}] counter {outcome=ignored} 0",
    "vexilla.webhook.received [{request}] counter {outcome=malformed} 0",
    "vexilla.webhook.received [{request}] counter {outcome=too_large} 0",
    "vexilla.webhook.received [{request}] counter {outcome=unauthorized} 0",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_sees_every_instrument() {
    let (collector, address) = Collector::start().await;
    let mut settings = OtlpSettings::to(&address, Protocol::Grpc);
    settings.service_name = "shop".to_owned();
    settings.resource.push(("service.instance.id".to_owned(), "7".to_owned()));
    let secret = ("authorization".to_owned(), Secret::new("Bearer hidden"));
    settings.metrics.iter_mut().for_each(|it| it.headers.push(secret.clone()));

    let otlp = start(&settings);
    measure(otlp.observer().as_ref());
    otlp.shutdown(LONG).await.unwrap();

    let requests = collector.metrics.lock().unwrap().clone();
    let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
    let (values, descriptions) = read(request);
    assert_eq!(values, EXPECTED);
    for description in descriptions {
        assert!(description.ends_with('.') && description.len() > 10, "`{description}`");
    }
    let resource = resource(request);
    assert!(resource.contains("{service.instance.id=7} {service.name=shop}"), "{resource}");
    assert_eq!(*collector.credentials.lock().unwrap(), ["Bearer hidden"]);
}

fn resource(request: &ExportMetricsServiceRequest) -> String {
    let resource = request.resource_metrics.iter().find_map(|it| it.resource.as_ref()).unwrap();
    attributes(&resource.attributes)
}

#[tokio::test]
async fn each_process_is_another_instance() {
    let (collector, address) = Collector::start().await;
    for _ in 0..2 {
        start(&OtlpSettings::to(&address, Protocol::Grpc)).shutdown(LONG).await.unwrap();
    }
    let requests = collector.metrics.lock().unwrap().clone();
    let [first, second] = [&requests[0], &requests[1]].map(resource);
    assert!(first.contains("{service.instance.id="), "{first}");
    assert!(first.contains("{telemetry.sdk.language=rust}"), "{first}");
    assert_ne!(first, second);
}

#[tokio::test]
async fn thousands_of_flags_are_told_one_by_one() {
    let (collector, address) = Collector::start().await;
    let otlp = start_with(&OtlpSettings::to(&address, Protocol::Grpc), 3_000);
    otlp.shutdown(LONG).await.unwrap();
    let requests = collector.metrics.lock().unwrap().clone();
    let (values, _) = read(&requests[0]);
    let flags = values.iter().filter(|it| it.starts_with("vexilla.flag.evaluations ")).count();
    assert_eq!(flags, 3_001, "each flag, and the others together");
}

#[tokio::test]
async fn one_thread_is_enough() {
    let (collector, address) = Collector::start().await;
    let otlp = start(&OtlpSettings::to(&address, Protocol::Grpc));
    otlp.shutdown(LONG).await.unwrap();
    assert_eq!(collector.metrics.lock().unwrap().len(), 1);
}
