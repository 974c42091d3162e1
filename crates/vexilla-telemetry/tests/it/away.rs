//! Collectors that are down, slow or refuse.

use std::net::TcpListener;
use std::time::Duration;

use tracing_subscriber::prelude::*;
use vexilla_telemetry::{OtlpSettings, Protocol};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{LONG, measure, start};

/// Measures, traces, and stops within the limit; gives what went wrong.
async fn run(settings: OtlpSettings, limit: Duration) -> String {
    let otlp = start(&settings);
    let observer = otlp.observer();
    measure(observer.as_ref());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(otlp.layer()), || {
        // More than the queue holds.
        (0..10_000).for_each(|_| {
            tracing::info_span!(target: "vexilla::refresh", "refresh").in_scope(|| {});
        });
    });
    let stopped = tokio::time::timeout(LONG, otlp.shutdown(limit)).await;
    let error = stopped.unwrap_or_else(|_| panic!("still not stopped")).unwrap_err();
    measure(observer.as_ref()); // nobody has to know that it is over
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_may_be_down() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut settings = OtlpSettings::to(&format!("http://{nobody}"), protocol);
        for signal in settings.metrics.iter_mut().chain(settings.traces.iter_mut()) {
            signal.timeout = Duration::from_millis(100); // or it would try again and again
        }
        let error = run(settings, LONG / 2).await;
        assert!(error.starts_with("telemetry could not be sent"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_may_be_slow() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        // Connections are made by the system, and nobody answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let mut settings = OtlpSettings::to(&address, protocol);
        for signal in settings.metrics.iter_mut().chain(settings.traces.iter_mut()) {
            signal.timeout = LONG * 10;
        }
        let error = run(settings, Duration::from_millis(100)).await;
        assert!(error.starts_with("telemetry could not be sent"), "{error}");
    }
}

#[tokio::test]
async fn a_collector_may_refuse() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let error = run(OtlpSettings::to(&server.uri(), Protocol::Http), LONG / 2).await;
    assert_eq!(error, "telemetry could not be sent");
}

#[test]
fn grpc_without_a_runtime_is_an_error() {
    let settings = OtlpSettings::to("http://localhost:1", Protocol::Grpc);
    let stats = vexilla_telemetry::StatsReader::later();
    let error =
        vexilla_telemetry::Otlp::start(&settings, &stats, None, &crate::clock()).unwrap_err();
    assert_eq!(error.to_string(), "protocol: `grpc` needs a tokio runtime around it");
}
