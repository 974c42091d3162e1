//! What `environment` promises.

use super::*;

fn read(variables: &[(&str, &str)]) -> OtlpSettings {
    over(OtlpSettings::default(), variables)
}

/// Fails where anything is ignored.
fn over(set: OtlpSettings, variables: &[(&str, &str)]) -> OtlpSettings {
    let done = done(set, variables);
    assert!(done.ignored.is_empty(), "{:?}", done.ignored);
    done.settings
}

/// A file holds its own name; one whose name begins with `no` is not there.
fn done(set: OtlpSettings, variables: &[(&str, &str)]) -> FromEnvironment {
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    set.with_env(get, |path| match path {
        "no" => Err("it is not there".to_owned()),
        path => Ok(path.as_bytes().to_vec()),
    })
}

fn endpoints(settings: &OtlpSettings) -> (Option<&str>, Option<&str>) {
    let metrics = settings.metrics.as_ref().map(|it| it.endpoint.as_str());
    (metrics, settings.traces.as_ref().map(|it| it.endpoint.as_str()))
}

#[test]
fn without_variables_nothing_changes() {
    assert_eq!(read(&[]), OtlpSettings::default());
    let set = OtlpSettings::to("http://collector:4317", Protocol::Grpc);
    assert_eq!(over(set.clone(), &[("OTEL_SERVICE_NAME", " ")]), set);
}

#[test]
fn exporters_may_be_a_list() {
    let both = ("OTEL_METRICS_EXPORTER", "prometheus, otlp");
    let found = done(OtlpSettings::default(), &[both]);
    assert!(found.settings.metrics.is_some() && found.settings.traces.is_none());
    let ignored: Vec<_> = found.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(ignored, ["OTEL_METRICS_EXPORTER: `prometheus` is neither otlp nor none"]);
}

#[test]
fn an_endpoint_turns_a_signal_on() {
    let check = |variables: &[(&str, &str)], expected| {
        assert_eq!(endpoints(&read(variables)), expected, "{variables:?}");
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
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "roots"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "chain"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "another"),
        ("OTEL_PROPAGATORS", "tracecontext"),
        ("OTEL_LOGS_EXPORTER", "none"),
    ]);
    let signal = |path: &str, headers: &[(&str, &str)], key: &str| {
        let mut signal = Signal::new(format!("http://c:1{path}"), Protocol::Http);
        let headers = headers.iter().map(|it| (it.0.to_owned(), Secret::new(it.1)));
        signal.headers = headers.collect();
        signal.timeout = Duration::from_millis(1500);
        signal.compression = Compression::Gzip;
        signal.extra_roots = b"roots".to_vec();
        signal.client_certificate = Some((b"chain".to_vec(), Secret::new(key)));
        Some(signal)
    };
    let expected = OtlpSettings {
        metrics: signal(METRICS_PATH, &[("authorization", "Bearer x"), ("tenant", "a")], "key"),
        traces: signal(TRACES_PATH, &[("tenant", "b")], "another"),
        service_name: "shop".to_owned(),
        resource: vec![("deployment.environment.name".to_owned(), "a,b".to_owned())],
        interval: Duration::from_secs(5),
        temporality: Temporality::Delta,
        sampled: 0.25,
        follows_parent: true,
        span_queue: 10,
        span_batch: 5,
        span_delay: Duration::from_millis(100),
    };
    assert_eq!(settings, expected);
}

#[test]
fn a_sampler_may_decide_by_itself() {
    let sampler = |name: &str| {
        let settings = read(&[("OTEL_TRACES_SAMPLER", name)]);
        (settings.sampled.to_string(), settings.follows_parent)
    };
    assert_eq!(sampler("always_off"), ("0".to_owned(), false));
    assert_eq!(sampler("parentbased_always_on"), ("1".to_owned(), true));
    assert_eq!(sampler("traceidratio"), ("1".to_owned(), false));
}

#[test]
fn where_each_setting_comes_from_is_told() {
    let done = done(
        OtlpSettings::default(),
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_TRACES_SAMPLER", "always_on"),
        ],
    );
    let origins: Vec<_> = done.origins.iter().map(|(it, from)| format!("{it} {from}")).collect();
    assert_eq!(
        origins,
        [
            "follows_parent OTEL_TRACES_SAMPLER",
            "metrics OTEL_METRICS_EXPORTER",
            "sampled OTEL_TRACES_SAMPLER",
            "traces.endpoint OTEL_EXPORTER_OTLP_ENDPOINT",
            "traces.protocol OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        ]
    );
}

#[test]
fn who_wants_nothing_sent_is_followed_and_named() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1");
    let disabled = |value| {
        let done = done(OtlpSettings::default(), &[endpoint, ("OTEL_SDK_DISABLED", value)]);
        let by = |field: &str| done.origins.get(field).map_or("nobody", String::as_str);
        (endpoints(&done.settings).0.is_none(), by("metrics").to_owned(), by("traces").to_owned())
    };
    let variable = || "OTEL_SDK_DISABLED".to_owned();
    assert_eq!(disabled("TRUE"), (true, variable(), variable()));
    assert_eq!(disabled("False"), (false, "nobody".to_owned(), "nobody".to_owned()));
}

#[test]
fn a_value_that_means_nothing_is_ignored_and_named() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1");
    let expected = read(&[endpoint]);
    let check = |name: &str, value: &str, reason: &str| {
        let done = done(OtlpSettings::default(), &[endpoint, (name, value)]);
        assert_eq!(done.settings, expected, "{name}");
        let ignored: Vec<_> = done.ignored.iter().map(|it| (it.field(), it.reason())).collect();
        assert_eq!(ignored, [(name, reason.to_owned())]);
    };
    let no_list = "`[redacted]` is not a list of `key=value`";
    check("OTEL_EXPORTER_OTLP_HEADERS", "hidden", no_list);
    let no_header = "`[redacted]` holds what cannot be a header";
    check("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a b=c", no_header);
    let no_protocol = "`http/json` is neither grpc nor http/protobuf";
    check("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", no_protocol);
    let no_time = "`10s` is no number of milliseconds from 1";
    check("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", no_time);
    check("OTEL_METRIC_EXPORT_INTERVAL", "0", "`0` is no number of milliseconds from 1");
    check("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "`-1` is no number from 1");
    check("OTEL_METRICS_EXPORTER", "console", "`console` is neither otlp nor none");
    check("OTEL_TRACES_SAMPLER", "jaeger", "`jaeger` is no sampler that is known here");
    check("OTEL_TRACES_SAMPLER_ARG", "0.5", "`0.5` needs OTEL_TRACES_SAMPLER");
    check("OTEL_SDK_DISABLED", "yes", "`yes` is neither true nor false");
    check("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "`zstd` is neither gzip nor none");
    check("OTEL_EXPORTER_OTLP_CERTIFICATE", "no", "`no` cannot be read: it is not there");
    let alone = "`[PEM]` needs the other one of the client's certificate and its key";
    check("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key", alone);
    check(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "c:1",
        "`c:1` does not begin with `http://` or `https://`",
    );
    check("OTEL_PROPAGATORS", "b3", "`b3` has no effect here");
    check("OTEL_EXPORTER_OTLP_INSECURE", "true", "`true` has no effect here");
    check("OTEL_LOGS_EXPORTER", "otlp", "`otlp` has no effect here: logs go to standard error");
}

#[test]
fn an_endpoint_that_cannot_work_turns_nothing_on() {
    let address = "http://me:hush@c:1";
    let done = done(OtlpSettings::default(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", address)]);
    assert_eq!(done.settings, OtlpSettings::default());
    assert_eq!(done.ignored.len(), 1, "once for both signals");
    assert!(!format!("{done:?}").contains("hush"), "{done:?}");
}
