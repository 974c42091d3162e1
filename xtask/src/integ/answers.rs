//! What of an answer must be the same from Flagr and from Vexilla.

use serde_json::Value;

/// What a result said before it had today's form.
const DECISION: [&str; 6] =
    ["flagID", "flagKey", "flagSnapshotID", "variantID", "variantKey", "variantAttachment"];

/// An answer without the time, and without the log of segments, whose words are not promised.
///
/// A batch gives its results in an order that Flagr leaves open; here they are ordered. Of a result in another form than
/// today's only the decision is kept.
pub(super) fn comparable(mut answer: Value, todays_form: bool) -> Value {
    let one = |result: &mut Value| {
        let Some(members) = result.as_object_mut() else { return };
        members.remove("timestamp");
        if let Some(log) = members.get_mut("evalDebugLog").and_then(Value::as_object_mut) {
            log.remove("segmentDebugLogs");
        }
        if !todays_form {
            members.retain(|name, value| DECISION.contains(&name.as_str()) && !value.is_null());
        }
    };
    if !todays_form && let Some(none @ Value::Null) = answer.get_mut("evaluationResults") {
        *none = Value::Array(Vec::new()); // as Flagr wrote an empty list before 1.2.0
    }
    match answer.get_mut("evaluationResults").and_then(Value::as_array_mut) {
        Some(results) => {
            results.iter_mut().for_each(one);
            results.sort_by_key(Value::to_string);
        }
        None => one(&mut answer),
    }
    answer
}

#[cfg(test)]
mod tests;
