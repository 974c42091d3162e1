//! What OpenFeature's callers send.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{Context, Object, Value};

use super::Problem;

/// Reads `{"context":{…}}`. Names are taken as they are written, as OpenFeature has it; no context is an empty one.
///
/// # Errors
///
/// If it is not that.
pub(crate) fn read_context(body: &[u8]) -> Result<Context, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::unreadable("it is not UTF-8"))?;
    let raw: &RawValue = if text.trim().is_empty() {
        return Err(Problem::unreadable("it is empty"));
    } else {
        serde_json::from_str(text).map_err(|error| Problem::unreadable(&error.to_string()))?
    };
    let members = Members::read(raw).ok_or_else(|| Problem::unreadable("it is no object"))?;
    let Some(raw) = members.context.filter(|it| it.get() != "null") else {
        return Ok(Context::default());
    };
    let value = read_value(raw, Numbers::AsWritten)
        .map_err(|error| Problem::bad_context(&format!("context is {error}")))?;
    let Value::Object(object) = value else {
        return Err(Problem::bad_context("context must be an object"));
    };
    let targeting_key = match object.get("targetingKey") {
        None | Some(Value::Null) => Box::default(),
        Some(Value::String(key)) => key.clone(),
        Some(_) => return Err(Problem::bad_context("context.targetingKey must be a string")),
    };
    let others = object.iter().filter(|(name, _)| *name != "targetingKey");
    let attributes: Object = others.map(|(name, value)| (Box::from(name), value.clone())).collect();
    Ok(Context::new(targeting_key).with_attributes(Some(Value::Object(attributes))))
}

/// The members that count; of several of one name the last.
#[derive(Default)]
struct Members<'b> {
    context: Option<&'b RawValue>,
}

impl<'b> Members<'b> {
    fn read(raw: &'b RawValue) -> Option<Self> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
                    let value: &RawValue = map.next_value()?;
                    if name == "context" {
                        members.context = Some(value);
                    }
                }
                Ok(members)
            }
        }
        serde_json::Deserializer::from_str(raw.get()).deserialize_map(Reader).ok()
    }
}
