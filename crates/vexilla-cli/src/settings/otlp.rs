//! What is sent by OpenTelemetry's protocol, as `--print-config` shows it: as comments, for the variables that it may come
//! from are OpenTelemetry's and no settings of ours.

use std::fmt::Write;

use vexilla::{OtlpCompression, OtlpProtocol, OtlpSignal, OtlpTemporality};
use vexilla_telemetry::FromEnvironment;

use super::Origins;
use super::kind::REDACTED;
use super::raw::Origin;

/// What `[telemetry]` and OpenTelemetry's variables come to, and where each value comes from.
pub(crate) fn print(found: &FromEnvironment, origins: &Origins) -> String {
    let mut text = "\n# What is sent by OpenTelemetry's protocol:\n".to_owned();
    let mut line = |field: &str, value: &str| {
        let origin = match found.origins.get(field) {
            Some(variable) => Origin::Variable(variable.clone()),
            None if field.ends_with(".endpoint") => origins.of_setting("telemetry.otlp_endpoint"),
            None if field.ends_with(".protocol") => origins.of_setting("telemetry.otlp_protocol"),
            None if field.ends_with(".headers") => origins.of_setting("telemetry.otlp_headers"),
            None => Origin::Default,
        };
        let _ = writeln!(text, "# {field} = {value} # {origin}"); // writing to memory does not fail
    };
    let settings = &found.settings;
    for (name, signal) in [("metrics", &settings.metrics), ("traces", &settings.traces)] {
        match signal {
            Some(signal) => signal_lines(name, signal, &mut line),
            None => line(name, "\"off\""),
        }
    }
    if settings.is_on() {
        line("service_name", &quoted(&settings.service_name));
        let resource = settings.resource.iter().map(|(key, value)| format!("{key}={value}"));
        line("resource", &quoted(&resource.collect::<Vec<_>>().join(",")));
        line("interval", &time(settings.interval));
        let temporality = match settings.temporality {
            OtlpTemporality::Cumulative => "cumulative",
            OtlpTemporality::Delta => "delta",
            OtlpTemporality::LowMemory => "lowmemory",
        };
        line("temporality", &quoted(temporality));
        line("sampled", &settings.sampled.to_string());
        line("follows_parent", &settings.follows_parent.to_string());
        line("span_queue", &settings.span_queue.to_string());
        line("span_batch", &settings.span_batch.to_string());
        line("span_delay", &time(settings.span_delay));
    }
    for ignored in &found.ignored {
        let (variable, reason) = (ignored.field(), ignored.reason());
        let _ = writeln!(
            text,
            "# ignored: {}: {}",
            Origin::Variable(variable.into()),
            one_line(&reason)
        );
    }
    text
}

fn signal_lines(name: &str, signal: &OtlpSignal, line: &mut impl FnMut(&str, &str)) {
    line(&format!("{name}.endpoint"), &quoted(&signal.endpoint));
    let protocol = match signal.protocol {
        OtlpProtocol::Http => "http",
        OtlpProtocol::Grpc => "grpc",
    };
    line(&format!("{name}.protocol"), &quoted(protocol));
    let headers = signal.headers.iter().map(|(header, _)| format!("{header}={REDACTED}"));
    line(&format!("{name}.headers"), &quoted(&headers.collect::<Vec<_>>().join(",")));
    line(&format!("{name}.timeout"), &time(signal.timeout));
    let compression = match signal.compression {
        OtlpCompression::None => "none",
        OtlpCompression::Gzip => "gzip",
    };
    line(&format!("{name}.compression"), &quoted(compression));
    let roots = format!("{} bytes of PEM", signal.extra_roots.len());
    line(&format!("{name}.extra_roots"), &quoted(&roots));
    let certificate = if signal.client_certificate.is_some() { REDACTED } else { "" };
    line(&format!("{name}.client_certificate"), &quoted(certificate));
}

fn quoted(text: &str) -> String {
    one_line(&toml::Value::String(text.to_owned()).to_string())
}

fn time(time: std::time::Duration) -> String {
    quoted(&humantime::format_duration(time).to_string())
}

/// What comes from outside does not end the comment that it stands in.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
