//! The same over HTTP.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tracing_subscriber::prelude::*;
use vexilla_domain::Secret;
use vexilla_telemetry::{OtlpSettings, Protocol};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::collector::read;
use crate::metrics::EXPECTED;
use crate::{LONG, measure, start};

#[tokio::test]
async fn a_collector_sees_metrics_and_spans() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("content-type", "application/x-protobuf"))
        .and(header("x-tenant", "hidden"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let mut settings = OtlpSettings::to(&server.uri(), Protocol::Http);
    for signal in settings.metrics.iter_mut().chain(settings.traces.iter_mut()) {
        signal.headers.push(("X-Tenant".to_owned(), Secret::new("hidden")));
    }

    let otlp = start(&settings);
    measure(otlp.observer().as_ref());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(otlp.layer()), || {
        tracing::info_span!(target: "vexilla::refresh", "refresh").in_scope(|| {});
    });
    otlp.shutdown(LONG).await.unwrap();

    let requests = server.received_requests().await.unwrap();
    let body = |path: &str| {
        let request = requests.iter().find(|it| it.url.path() == path);
        request.unwrap_or_else(|| panic!("nothing for {path}")).body.as_slice()
    };
    let metrics = ExportMetricsServiceRequest::decode(body("/v1/metrics")).unwrap();
    assert_eq!(read(&metrics).0, EXPECTED);
    let traces = ExportTraceServiceRequest::decode(body("/v1/traces")).unwrap();
    let scopes = traces.resource_spans.iter().flat_map(|it| &it.scope_spans);
    let names: Vec<_> = scopes.flat_map(|it| &it.spans).map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["refresh"]);
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirection() {
    let (server, elsewhere) = (MockServer::start().await, MockServer::start().await);
    let to = format!("{}/v1/metrics", elsewhere.uri());
    Mock::given(path("/v1/metrics"))
        .respond_with(ResponseTemplate::new(307).insert_header("location", to))
        .expect(1)
        .mount(&server)
        .await;
    let mut settings = OtlpSettings::to(&server.uri(), Protocol::Http);
    settings.traces = None;
    start(&settings).shutdown(LONG).await.unwrap_err();
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}
