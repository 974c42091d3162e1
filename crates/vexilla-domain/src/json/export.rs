//! Flagr's eval-cache export: Go's member names and order, nothing omitted.

use super::value::{write_display, write_object, write_string};
use crate::{Constraint, Distribution, Flag, Segment, Tag, Times, Variant};

/// Writes `{"Flags":[…]}` as Flagr's `GET /export/eval_cache/json` does, without the newline at its end.
pub fn write_flags<'f>(flags: impl IntoIterator<Item = &'f Flag>) -> Vec<u8> {
    let mut out = b"{\"Flags\":".to_vec();
    list(&mut out, flags, flag);
    out.push(b'}');
    out
}

/// Writes one item of the same: the flag.
pub fn write_flag(flag: &Flag) -> String {
    let mut out = Vec::new();
    append_flag(&mut out, flag);
    // What is written is made of texts.
    String::from_utf8(out).unwrap_or_default()
}

/// The same, behind what is there.
pub(super) fn append_flag(out: &mut Vec<u8>, it: &Flag) {
    flag(out, it);
}

fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Opens an object with its four base members.
fn base(out: &mut Vec<u8>, id: u64, times: &Times) {
    out.extend_from_slice(b"{\"ID\":");
    write_display(out, id);
    text(out, "CreatedAt", times.created_at.as_str());
    text(out, "UpdatedAt", times.updated_at.as_str());
    match &times.deleted_at {
        Some(time) => text(out, "DeletedAt", time.as_str()),
        None => out.extend_from_slice(b",\"DeletedAt\":null"),
    }
}

fn name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, member: &str, value: &str) {
    name(out, member);
    write_string(out, value);
}

fn plain(out: &mut Vec<u8>, member: &str, value: impl std::fmt::Display) {
    name(out, member);
    write_display(out, value);
}

fn flag(out: &mut Vec<u8>, flag: &Flag) {
    base(out, flag.id.0, &flag.times);
    text(out, "Key", &flag.key);
    text(out, "Description", &flag.description);
    text(out, "CreatedBy", &flag.created_by);
    text(out, "UpdatedBy", &flag.updated_by);
    plain(out, "Enabled", flag.enabled);
    name(out, "Segments");
    list(out, &flag.segments, |out, it| segment(out, flag, it));
    name(out, "Variants");
    list(out, &flag.variants, |out, it| variant(out, flag, it));
    name(out, "Tags");
    list(out, &flag.tags, tag);
    plain(out, "SnapshotID", flag.snapshot_id);
    text(out, "Notes", &flag.notes);
    plain(out, "DataRecordsEnabled", flag.data_records_enabled);
    text(out, "EntityType", &flag.entity_type);
    out.push(b'}');
}

fn segment(out: &mut Vec<u8>, flag: &Flag, segment: &Segment) {
    base(out, segment.id.0, &segment.times);
    plain(out, "FlagID", flag.id);
    text(out, "Description", &segment.description);
    plain(out, "Rank", segment.rank);
    plain(out, "RolloutPercent", segment.rollout_percent);
    name(out, "Constraints");
    list(out, &segment.constraints, |out, it| constraint(out, segment, it));
    name(out, "Distributions");
    list(out, &segment.distributions, |out, it| distribution(out, segment, it));
    out.push(b'}');
}

fn constraint(out: &mut Vec<u8>, segment: &Segment, constraint: &Constraint) {
    base(out, constraint.id.0, &constraint.times);
    plain(out, "SegmentID", segment.id);
    text(out, "Property", &constraint.property);
    text(out, "Operator", &constraint.operator);
    text(out, "Value", &constraint.value);
    out.push(b'}');
}

fn distribution(out: &mut Vec<u8>, segment: &Segment, distribution: &Distribution) {
    base(out, distribution.id.0, &distribution.times);
    plain(out, "SegmentID", segment.id);
    plain(out, "VariantID", distribution.variant_id);
    text(out, "VariantKey", &distribution.variant_key);
    plain(out, "Percent", distribution.percent);
    out.push(b'}');
}

fn variant(out: &mut Vec<u8>, flag: &Flag, variant: &Variant) {
    base(out, variant.id.0, &variant.times);
    plain(out, "FlagID", flag.id);
    text(out, "Key", &variant.key);
    name(out, "Attachment");
    match &variant.attachment {
        Some(object) => write_object(out, object),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn tag(out: &mut Vec<u8>, tag: &Tag) {
    base(out, tag.id.0, &tag.times);
    text(out, "Value", &tag.value);
    out.extend_from_slice(b",\"Flags\":null}");
}
