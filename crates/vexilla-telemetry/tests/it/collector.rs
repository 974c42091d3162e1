//! A collector that speaks gRPC, in this process.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, Once};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{NumberDataPoint, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, async_trait};

/// Everything that arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collector {
    pub(crate) metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    pub(crate) traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    /// The `authorization` of each request.
    pub(crate) credentials: Arc<Mutex<Vec<String>>>,
}

/// Somebody who wants all spans, for the whole process. Otherwise a test that ends while another one reaches a span for the
/// first time could have that span taken for one that nobody wants.
fn somebody_listens() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    });
}

impl Collector {
    /// Listens for as long as the test's runtime lives.
    pub(crate) async fn start() -> (Self, String) {
        Self::listen(Server::builder(), "http").await
    }

    /// The same by this server, at an address of this scheme.
    pub(crate) async fn listen(mut server: Server, scheme: &str) -> (Self, String) {
        somebody_listens();
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let server = server
            .add_service(MetricsServiceServer::new(collector.clone()))
            .add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (collector, address)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let scopes = traces.iter().flat_map(|it| &it.resource_spans).flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| &it.spans).cloned().collect()
    }

    fn note<T>(&self, request: &Request<T>) {
        let credential = request.metadata().get("authorization");
        let credential = credential.map_or("none", |it| it.to_str().unwrap());
        self.credentials.lock().unwrap().push(credential.to_owned());
    }
}

#[async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.note(&request);
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note(&request);
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Every value as `name [unit] kind {attribute=value} value`, in the order of the alphabet; and the descriptions.
pub(crate) fn read(request: &ExportMetricsServiceRequest) -> (Vec<String>, Vec<String>) {
    let scopes = request.resource_metrics.iter().flat_map(|it| &it.scope_metrics);
    let (mut values, mut descriptions) = (Vec::new(), Vec::new());
    for metric in scopes.flat_map(|it| &it.metrics) {
        descriptions.push(metric.description.clone());
        let mut add = |kind: &str, attributes: &[KeyValue], value: String| {
            let (name, unit) = (&metric.name, &metric.unit);
            values.push(format!("{name} [{unit}] {kind}{} {value}", self::attributes(attributes)));
        };
        match metric.data.as_ref().unwrap() {
            metric::Data::Sum(it) => {
                let kind = if it.is_monotonic { "counter" } else { "sum" };
                it.data_points.iter().for_each(|it| add(kind, &it.attributes, number(it)));
            }
            metric::Data::Gauge(it) => {
                it.data_points.iter().for_each(|it| add("gauge", &it.attributes, number(it)));
            }
            metric::Data::Histogram(it) => it.data_points.iter().for_each(|it| {
                let value = format!("{} in {}", it.sum.unwrap(), it.count);
                add("histogram", &it.attributes, value);
            }),
            other => panic!("{other:?}"),
        }
    }
    values.sort();
    (values, descriptions)
}

pub(crate) fn attributes(attributes: &[KeyValue]) -> String {
    let text = |it: &KeyValue| match it.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    };
    let sorted: BTreeMap<_, _> = attributes.iter().map(|it| (&it.key, text(it))).collect();
    let mut line = String::new();
    for (key, value) in sorted {
        write!(line, " {{{key}={value}}}").unwrap();
    }
    line
}

fn number(point: &NumberDataPoint) -> String {
    match point.value.as_ref().unwrap() {
        number_data_point::Value::AsDouble(value) => value.to_string(),
        number_data_point::Value::AsInt(value) => value.to_string(),
    }
}
