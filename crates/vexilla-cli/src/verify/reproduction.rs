//! A difference as JSON, to send along and to try again: the flag, the request, and both answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use vexilla_domain::json::write_flags;
use vexilla_domain::{Answer, Flag, Value};

use super::compare::{json, said};
use super::shrink::Found;

/// A document of flags, as `vexilla eval --flags` and a Flagr of `json_file` read it, with more beside them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reproduction {
    #[serde(rename = "Flags")]
    flags: Box<RawValue>,
    /// The body for Flagr's `POST /evaluation`.
    request: Request,
    vexilla: Box<RawValue>,
    flagr: Box<RawValue>,
    made_by: MadeBy,
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

#[derive(Serialize)]
struct MadeBy {
    vexilla: &'static str,
    seed: u64,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Flags")]
    flags: Box<RawValue>,
}

/// The text of it, in lines.
pub(crate) fn write(flag: &Flag, found: &Found, seed: u64) -> String {
    let document: Result<Document, _> =
        serde_json::from_slice(&write_flags(std::slice::from_ref(flag)));
    let context = &found.context;
    let reproduction = Reproduction {
        flags: document.map_or_else(|_| raw("[]".into()), |it| it.flags),
        request: Request {
            flag_id: flag.id.0,
            entity_id: context.entity_id().into(),
            entity_context: context.attributes().map(|it| raw(json(it))),
        },
        vexilla: answer(&found.ours),
        flagr: answer(&found.theirs),
        made_by: MadeBy { vexilla: env!("CARGO_PKG_VERSION"), seed },
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
