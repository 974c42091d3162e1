//! A difference as JSON, to send along: the flag, the request, and both answers.

use serde::Serialize;
use serde_json::value::RawValue;
use vexilla_domain::json::write_flags;
use vexilla_domain::{Answer, Context, Flag, Value};

use super::compare::{json, said};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reproduction {
    /// A document that `vexilla eval --flags` reads.
    flags: Option<Box<RawValue>>,
    /// The body for Flagr's `POST /evaluation`.
    request: Request,
    vexilla: Box<RawValue>,
    flagr: Box<RawValue>,
}

#[derive(Serialize)]
struct Request {
    #[serde(rename = "flagID")]
    flag_id: u64,
    #[serde(rename = "entityID")]
    entity_id: Box<str>,
    #[serde(rename = "entityContext", skip_serializing_if = "Option::is_none")]
    entity_context: Option<Box<RawValue>>,
}

/// The text of it, in lines.
pub(crate) fn write(flag: &Flag, context: &Context, ours: &Answer, theirs: &Answer) -> String {
    let document = String::from_utf8_lossy(&write_flags(std::slice::from_ref(flag))).into_owned();
    let reproduction = Reproduction {
        flags: RawValue::from_string(document).ok(),
        request: Request {
            flag_id: flag.id.0,
            entity_id: context.entity_id().into(),
            entity_context: context.attributes().map(|it| raw(json(it))),
        },
        vexilla: answer(ours),
        flagr: answer(theirs),
    };
    serde_json::to_string_pretty(&reproduction).unwrap_or_default()
}

fn answer(answer: &Answer) -> Box<RawValue> {
    let members = said(answer).map(|(name, value)| format!("{}:{value}", json(&Value::from(name))));
    raw(format!("{{{}}}", members.join(",")))
}

/// The text as JSON, which it is; were it not, `null` would stand there.
fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
