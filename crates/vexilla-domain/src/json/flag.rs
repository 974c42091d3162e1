//! A flag's members. The two spellings differ in case only, and in what they leave out, so one reader takes both.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess};
use serde_json::value::RawValue;

use super::go::{Lenient, members, set};
use super::value::{Numbers, read_value};
use crate::{
    Constraint, Distribution, Flag, Object, Segment, Tag, Times, Timestamp, Value, Variant,
};

/// Something that Go decodes from an object.
pub(super) trait GoStruct: for<'de> Lenient<'de> + Default {
    /// Its members, in the order of [`Lenient::read`]'s index.
    const FIELDS: &'static [&'static str];
}

/// Makes serde read a [`GoStruct`], without showing a serde implementation to users of the type.
pub(super) struct Read<T>(pub(super) T);

impl<'de, T: GoStruct> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut target = T::default();
        members(deserializer, T::FIELDS, &mut target)?;
        Ok(Self(target))
    }
}

/// Sets a list; items that are `null` are zero values.
fn set_list<'de, M: MapAccess<'de>, T: GoStruct>(
    list: &mut Vec<T>,
    map: &mut M,
) -> Result<(), M::Error> {
    if let Some(items) = map.next_value::<Option<Vec<Option<Read<T>>>>>()? {
        *list =
            items.into_iter().map(|item| item.map_or_else(T::default, |Read(item)| item)).collect();
    }
    Ok(())
}

/// A point in time.
struct ReadTime(Timestamp);

impl<'de> Deserialize<'de> for ReadTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("`{text}` is not an RFC 3339 date and time"));
        Timestamp::parse(&text).map(Self).ok_or_else(wrong)
    }
}

/// An attachment: an object whose numbers went through float64.
struct ReadAttachment(Option<Arc<Object>>);

impl<'de> Deserialize<'de> for ReadAttachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        match read_value(raw, Numbers::Float64).map_err(D::Error::custom)? {
            Value::Null => Ok(Self(None)),
            Value::Object(object) => Ok(Self(Some(Arc::new(object)))),
            _ => Err(D::Error::custom("an attachment is an object or null")),
        }
    }
}

fn set_attachment<'de, M: MapAccess<'de>>(
    variant: &mut Variant,
    map: &mut M,
) -> Result<(), M::Error> {
    if let ReadAttachment(Some(attachment)) = map.next_value()? {
        variant.attachment = Some(attachment);
    }
    Ok(())
}

/// The base members that stand flat in every object: all but the id.
fn set_times<'de, M: MapAccess<'de>>(
    times: &mut Times,
    index: usize,
    map: &mut M,
) -> Result<(), M::Error> {
    if let Some(ReadTime(time)) = map.next_value::<Option<ReadTime>>()? {
        match index {
            1 => times.created_at = time,
            2 => times.updated_at = time,
            _ => times.deleted_at = Some(time),
        }
    }
    Ok(())
}

impl GoStruct for Flag {
    const FIELDS: &'static [&'static str] = &[
        "ID",
        "CreatedAt",
        "UpdatedAt",
        "DeletedAt",
        "Key",
        "Description",
        "CreatedBy",
        "UpdatedBy",
        "Enabled",
        "Segments",
        "Variants",
        "Tags",
        "SnapshotID",
        "Notes",
        "DataRecordsEnabled",
        "EntityType",
    ];
}

impl<'de> Lenient<'de> for Flag {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.key, map),
            5 => set(&mut self.description, map),
            6 => set(&mut self.created_by, map),
            7 => set(&mut self.updated_by, map),
            8 => set(&mut self.enabled, map),
            9 => set_list(&mut self.segments, map),
            10 => set_list(&mut self.variants, map),
            11 => set_list(&mut self.tags, map),
            12 => set(&mut self.snapshot_id.0, map),
            13 => set(&mut self.notes, map),
            14 => set(&mut self.data_records_enabled, map),
            15 => set(&mut self.entity_type, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}

impl GoStruct for Segment {
    const FIELDS: &'static [&'static str] = &[
        "ID",
        "CreatedAt",
        "UpdatedAt",
        "DeletedAt",
        "Description",
        "Rank",
        "RolloutPercent",
        "Constraints",
        "Distributions",
    ];
}

impl<'de> Lenient<'de> for Segment {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.description, map),
            5 => set(&mut self.rank, map),
            6 => set(&mut self.rollout_percent, map),
            7 => set_list(&mut self.constraints, map),
            8 => set_list(&mut self.distributions, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}

impl GoStruct for Constraint {
    const FIELDS: &'static [&'static str] =
        &["ID", "CreatedAt", "UpdatedAt", "DeletedAt", "Property", "Operator", "Value"];
}

impl<'de> Lenient<'de> for Constraint {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.property, map),
            5 => set(&mut self.operator, map),
            6 => set(&mut self.value, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}

impl GoStruct for Distribution {
    const FIELDS: &'static [&'static str] =
        &["ID", "CreatedAt", "UpdatedAt", "DeletedAt", "VariantID", "VariantKey", "Percent"];
}

impl<'de> Lenient<'de> for Distribution {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.variant_id.0, map),
            5 => set(&mut self.variant_key, map),
            6 => set(&mut self.percent, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}

impl GoStruct for Variant {
    const FIELDS: &'static [&'static str] =
        &["ID", "CreatedAt", "UpdatedAt", "DeletedAt", "Key", "Attachment"];
}

impl<'de> Lenient<'de> for Variant {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.key, map),
            5 => set_attachment(self, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}

impl GoStruct for Tag {
    const FIELDS: &'static [&'static str] = &["ID", "CreatedAt", "UpdatedAt", "DeletedAt", "Value"];
}

impl<'de> Lenient<'de> for Tag {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => set(&mut self.id.0, map),
            4 => set(&mut self.value, map),
            times => set_times(&mut self.times, times, map),
        }
    }
}
