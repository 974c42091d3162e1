//! What `settings` promises.

use super::*;

fn check(change: impl FnOnce(&mut OtlpSettings), expected: &str) {
    let mut settings = OtlpSettings::to("http://localhost:4318", Protocol::Http);
    change(&mut settings);
    let error = settings.check().unwrap_err().to_string();
    assert_eq!(error, expected);
}

fn http(endpoint: &str) -> Signal {
    Signal::new(endpoint, Protocol::Http)
}

#[test]
fn settings_that_cannot_work_are_refused() {
    assert!(OtlpSettings::to("http://localhost:4318", Protocol::Http).check().is_ok());
    assert!(OtlpSettings::to("HTTPS://localhost", Protocol::Grpc).check().is_ok());
    check(|it| it.metrics = Some(http("a b")), "metrics.endpoint: `a b` is no address");
    check(
        |it| it.traces = Some(http("collector:4317")),
        "traces.endpoint: `collector:4317` does not begin with `http://` or `https://`",
    );
    check(
        |it| it.metrics = Some(http("http://me:hidden@collector")),
        "metrics.endpoint: `[redacted]` holds a credential: that belongs into a header",
    );
    check(|it| it.interval = Duration::ZERO, "interval: `0s` leaves no time");
    check(|it| it.span_queue = 0, "span_queue: `0` leaves no room");
    check(|it| it.sampled = f64::NAN, "sampled: `NaN` is not between 0 and 1");
    let with_header = |name: &str, value: &str| {
        let mut signal = http("http://collector");
        signal.headers.push((name.to_owned(), Secret::new(value)));
        signal
    };
    check(
        |it| it.metrics = Some(with_header("a b", "hidden")),
        "headers: `a b` cannot be the name of a header",
    );
    check(
        |it| it.metrics = Some(with_header("a", "hidden\n")),
        "a: `[redacted]` cannot be a header's value",
    );
}

#[test]
fn a_secret_is_not_printed() {
    let mut signal = http("http://collector");
    signal.headers.push(("authorization".to_owned(), Secret::new("hidden")));
    let printed = format!("{signal:?} {:?}", signal.header_map().unwrap());
    assert!(!printed.contains("hidden"), "{printed}");
}
