//! JSON held against the schemas of an `OpenAPI` document.

use serde_json::Value;

/// Whether a value is what a schema says: its type, all required members, and no member that is not described.
pub(crate) fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.trim_start_matches('#')).unwrap();
        return check(document, schema, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let is_null = |it: &&Value| it["type"] == "null";
        let (nulls, others): (Vec<_>, Vec<_>) = choices.iter().partition(is_null);
        assert!(!nulls.is_empty() && others.len() == 1, "{at}: {schema}");
        if !value.is_null() {
            check(document, others[0], value, at);
        }
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|it| it == kind),
        one => one == kind || (one == "number" && kind == "integer"),
    };
    assert!(allowed, "{at}: {value} is not {schema}");
    if let Value::Array(items) = value {
        for item in items {
            check(document, &schema["items"], item, &format!("{at}[]"));
        }
    }
    if let (Value::Object(members), Value::Object(described)) = (value, &schema["properties"]) {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(members.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
        }
        for (name, member) in members {
            assert!(described.contains_key(name), "{at}: `{name}` is not described");
            check(document, &described[name], member, &format!("{at}.{name}"));
        }
    }
}
