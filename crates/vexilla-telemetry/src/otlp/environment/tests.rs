//! What `environment` promises.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<OtlpSettings, SettingsError> {
    over(OtlpSettings::default(), variables)
}

fn over(set: OtlpSettings, variables: &[(&str, &str)]) -> Result<OtlpSettings, SettingsError> {
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    set.with_env(get)
}

fn endpoints(settings: &OtlpSettings) -> (Option<&str>, Option<&str>) {
    let metrics = settings.metrics.as_ref().map(|it| it.endpoint.as_str());
    (metrics, settings.traces.as_ref().map(|it| it.endpoint.as_str()))
}

#[test]
fn without_variables_nothing_changes() {
    assert_eq!(read(&[]).unwrap(), OtlpSettings::default());
    let set = OtlpSettings::to("http://collector:4317", Protocol::Grpc);
    assert_eq!(over(set.clone(), &[("OTEL_SERVICE_NAME", " ")]).unwrap(), set);
}

#[test]
fn an_endpoint_turns_a_signal_on() {
    let check = |variables: &[(&str, &str)], expected| {
        assert_eq!(endpoints(&read(variables).unwrap()), expected, "{variables:?}");
    };
    let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1/");
    let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:2/x");
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    check(&[all], (Some("http://c:1/v1/metrics"), Some("http://c:1/v1/traces")));
    check(&[all, grpc], (Some("http://c:1/"), Some("http://c:1/")));
    check(&[all, traces], (Some("http://c:1/v1/metrics"), Some("http://t:2/x")));
    check(&[traces], (None, Some("http://t:2/x")));
    check(&[all, ("OTEL_METRICS_EXPORTER", "none")], (None, Some("http://c:1/v1/traces")));
    check(&[("OTEL_TRACES_EXPORTER", "otlp")], (None, Some("http://localhost:4318/v1/traces")));
    check(&[("OTEL_TRACES_EXPORTER", "otlp"), grpc], (None, Some("http://localhost:4317")));
    check(&[all, ("OTEL_SDK_DISABLED", "True")], (None, None));
}

#[test]
fn every_variable_is_followed() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, tenant=a"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "tenant=b"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=ignored,deployment.environment.name=a%2Cb"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ])
    .unwrap();
    let signal = |path: &str, headers: &[(&str, &str)]| {
        let mut signal = Signal::new(format!("http://c:1{path}"), Protocol::Http);
        let headers = headers.iter().map(|it| (it.0.to_owned(), Secret::new(it.1)));
        signal.headers = headers.collect();
        signal.timeout = Duration::from_millis(1500);
        signal.compression = Compression::Gzip;
        Some(signal)
    };
    let expected = OtlpSettings {
        metrics: signal(METRICS_PATH, &[("authorization", "Bearer x"), ("tenant", "a")]),
        traces: signal(TRACES_PATH, &[("tenant", "b")]),
        service_name: "shop".to_owned(),
        resource: vec![("deployment.environment.name".to_owned(), "a,b".to_owned())],
        interval: Duration::from_secs(5),
        temporality: Temporality::Delta,
        sampled: 0.25,
        span_queue: 10,
        span_batch: 5,
        span_delay: Duration::from_millis(100),
    };
    assert_eq!(settings, expected);
}

#[test]
fn a_value_that_means_nothing_is_an_error() {
    let check = |name: &str, value: &str, expected: &str| {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1");
        let error = read(&[endpoint, (name, value)]).unwrap_err();
        assert_eq!(error.field(), name);
        assert_eq!(error.to_string(), format!("{name}: {expected}"));
    };
    check("OTEL_EXPORTER_OTLP_HEADERS", "hidden", "`[redacted]` is not a list of `key=value`");
    check(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "http/json",
        "`http/json` is neither grpc nor http/protobuf",
    );
    check("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "`10s` is not such a number");
    check("OTEL_METRICS_EXPORTER", "console", "`console` is neither otlp nor none");
    check("OTEL_TRACES_SAMPLER", "jaeger", "`jaeger` is no sampler that is known here");
}
