//! The value of a flag, as OpenFeature's callers get it.

use vexilla_domain::json::{write_string, write_value};
use vexilla_domain::{Evaluation, Reason, Source, Value};

/// Writes `{"key":…,"reason":…,"variant":…,"value":…,"metadata":{…}}`.
pub(super) fn success(out: &mut Vec<u8>, key: &str, evaluation: &Evaluation, boolean_keys: bool) {
    out.extend_from_slice(b"{\"key\":");
    write_string(out, key);
    out.extend_from_slice(b",\"reason\":\"");
    out.extend_from_slice(reason(evaluation).as_bytes());
    out.push(b'"');
    if let Some(variant) = &evaluation.variant {
        out.extend_from_slice(b",\"variant\":");
        write_string(out, &variant.key);
        out.extend_from_slice(b",\"value\":");
        let attached = variant.attachment.as_deref();
        match (attached.and_then(|it| it.get("value")), attached.and_then(|it| it.get("enabled"))) {
            (Some(value), _) if *value != Value::Null => write_value(out, value),
            (_, Some(enabled @ Value::Bool(_))) => write_value(out, enabled),
            _ => match &*variant.key {
                "on" | "true" if boolean_keys => out.extend_from_slice(b"true"),
                "off" | "false" if boolean_keys => out.extend_from_slice(b"false"),
                text => write_string(out, text),
            },
        }
    }
    write_metadata(out, evaluation);
    out.push(b'}');
}

/// OpenFeature's word for how a value came about. How old it may be goes first; why it is this one is in the metadata.
fn reason(evaluation: &Evaluation) -> &'static str {
    match (evaluation.source, evaluation.reason) {
        (Source::RemoteCached, _) => "CACHED",
        _ if evaluation.freshness.stale => "STALE",
        (_, Reason::TargetingMatch) => "TARGETING_MATCH",
        (_, Reason::Static) => "STATIC",
        (_, Reason::Split) => "SPLIT",
        (_, Reason::Disabled) => "DISABLED",
        (_, Reason::NoMatch | Reason::Holdout | Reason::NoSegments | Reason::Fallback) => "DEFAULT",
        (_, Reason::Error) => "ERROR",
        _ => "UNKNOWN",
    }
}

fn write_metadata(out: &mut Vec<u8>, evaluation: &Evaluation) {
    let flag = evaluation.flag.as_ref();
    out.extend_from_slice(b",\"metadata\":{");
    for (name, number) in [
        ("flagID", flag.map_or(0, |it| it.id.0)),
        ("flagSnapshotID", flag.map_or(0, |it| it.snapshot_id.0)),
        ("segmentID", evaluation.segment_id.0),
        ("variantID", evaluation.variant_id.0),
    ] {
        if number != 0 {
            out.extend_from_slice(format!("\"{name}\":{number},").as_bytes());
        }
    }
    let (reason, revision) = (evaluation.reason, evaluation.freshness.revision);
    let source = evaluation.source.as_str();
    out.extend_from_slice(
        format!("\"reason\":\"{reason}\",\"revision\":\"{revision}\",\"source\":\"{source}\"}}")
            .as_bytes(),
    );
}
