//! Exposures as the queue keeps them: a line of JSON each.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value, write_string, write_value};
use vexilla_domain::{Exposure, FlagId, SnapshotId, VariantId};

/// The members, by one letter each; those that would be zero are left out.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire<'a> {
    #[serde(rename = "f")]
    flag_id: u64,
    #[serde(rename = "k", borrow)]
    flag_key: Cow<'a, str>,
    #[serde(rename = "v")]
    variant_id: u64,
    #[serde(rename = "w", borrow)]
    variant_key: Cow<'a, str>,
    #[serde(rename = "s")]
    snapshot_id: u64,
    #[serde(rename = "e", borrow)]
    entity_id: Cow<'a, str>,
    #[serde(rename = "t", borrow)]
    entity_type: Cow<'a, str>,
    #[serde(rename = "c", borrow)]
    entity_context: Option<&'a RawValue>,
    #[serde(rename = "at")]
    at_ms: Option<i64>,
}

pub(crate) fn write(exposure: &Exposure) -> Box<[u8]> {
    let mut out = Vec::with_capacity(128);
    out.push(b'{');
    let ids =
        [("f", exposure.flag_id.0), ("v", exposure.variant_id.0), ("s", exposure.snapshot_id.0)];
    for (name, id) in ids.into_iter().filter(|it| it.1 != 0) {
        member(&mut out, name).extend_from_slice(id.to_string().as_bytes());
    }
    let texts = [
        ("k", &exposure.flag_key),
        ("w", &exposure.variant_key),
        ("e", &exposure.entity_id),
        ("t", &exposure.entity_type),
    ];
    for (name, text) in texts.into_iter().filter(|it| !it.1.is_empty()) {
        write_string(member(&mut out, name), text);
    }
    if let Some(context) = &exposure.entity_context {
        write_value(member(&mut out, "c"), context);
    }
    if let Some(at) = exposure.at.and_then(millis) {
        member(&mut out, "at").extend_from_slice(at.to_string().as_bytes());
    }
    out.push(b'}');
    out.into()
}

fn member<'o>(out: &'o mut Vec<u8>, name: &str) -> &'o mut Vec<u8> {
    if out.len() > 1 {
        out.push(b',');
    }
    write_string(out, name);
    out.push(b':');
    out
}

/// `None` for what is no exposure.
pub(crate) fn read(bytes: &[u8]) -> Option<Exposure> {
    // A list of the members would do, too.
    let object = bytes.first() == Some(&b'{');
    let wire: Wire<'_> = object.then(|| serde_json::from_slice(bytes).ok())??;
    let context = wire.entity_context.map(|it| read_value(it, Numbers::AsWritten));
    Some(Exposure {
        flag_id: FlagId(wire.flag_id),
        flag_key: wire.flag_key.into(),
        variant_id: VariantId(wire.variant_id),
        variant_key: wire.variant_key.into(),
        snapshot_id: SnapshotId(wire.snapshot_id),
        entity_id: wire.entity_id.into(),
        entity_type: wire.entity_type.into(),
        entity_context: context.transpose().ok()?,
        at: wire.at_ms.and_then(time),
    })
}

/// Milliseconds since the Unix epoch; less than none before it.
fn millis(at: SystemTime) -> Option<i64> {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).ok(),
        Err(before) => i64::try_from(before.duration().as_millis()).ok().map(|it| -it),
    }
}

fn time(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

#[cfg(test)]
mod tests;
