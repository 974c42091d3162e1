//! `POST /exposures`: read and checked as Flagr does, answered as Flagr does.

use std::time::SystemTime;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess};
use serde_json::value::RawValue;
use vexilla_domain::json::{Lenient, Numbers, members, read_value, write_string};
use vexilla_domain::{
    ExposeError, ExposeErrorKind, Exposure, ExposureInbox, FlagId, RowError, SnapshotId, Value,
    VariantId,
};

use crate::answer::json;
use crate::decode::{DecodeOver, Over, unless_null};
use crate::error::{Answered, Refusal};
use crate::go_error::{Kind, Struct};
use crate::go_time;
use crate::reject::{Rejected, Violation};
use crate::request::{decode, not_empty};
use crate::slice::Slice;

/// Answers a body.
pub(crate) async fn answer(
    inbox: &dyn ExposureInbox,
    body: &Bytes,
    most: usize,
) -> Result<Answered, Refusal> {
    let rows = read(body).map_err(Rejected::in_body)?;
    if most < rows.len() {
        return Err(Refusal::too_many_exposures(rows.len(), most));
    }
    let errors = inbox.take(rows).await.map_err(|error| refused(&error))?;
    Ok(json(write(&errors)))
}

fn refused(error: &ExposeError) -> Refusal {
    if error.kind() == ExposeErrorKind::NoFlagr {
        return Refusal::not_implemented(crate::operation::EXPOSURES);
    }
    // The queue says so where everybody reads it, and not for each request.
    tracing::debug!(error = error as &dyn std::error::Error, "exposures are not taken");
    Refusal::exposures_not_taken()
}

/// The rows of a body.
fn read(body: &[u8]) -> Result<Vec<Option<Exposure>>, Rejected> {
    let wire: WireExposures = decode(body, &WireExposures::STRUCT)?;
    let invalid = |violation| Rejected::Invalid(vec![violation]);
    let required = |name: &str| invalid(Violation::new(602, format!("{name} in body is required")));
    let rows = wire.exposures.into_items().ok_or_else(|| required("exposures"))?;
    not_empty("exposures", &rows).map_err(invalid)?;
    let checked = rows.into_iter().enumerate().map(|(at, row)| match row.0 {
        Some(WireExposure { entity_id: None, .. }) => {
            Err(required(&format!("exposures.{at}.entityID")))
        }
        row => Ok(row.map(WireExposure::into_exposure)),
    });
    checked.collect()
}

/// Flagr's answer. Nothing is logged yet, so the count of that is left out, as where it is none.
fn write(errors: &[RowError]) -> Vec<u8> {
    let mut out = b"{\"errors\":".to_vec();
    let mut before = b'[';
    for error in errors {
        out.push(before);
        before = b',';
        out.push(b'{');
        if error.index != 0 {
            out.extend_from_slice(format!("\"index\":{},", error.index).as_bytes());
        }
        out.extend_from_slice(b"\"message\":");
        write_string(&mut out, &error.message);
        out.push(b'}');
    }
    out.extend_from_slice(if errors.is_empty() { b"null" } else { b"]" });
    out.extend_from_slice(b",\"message\":\"Exposures logged successfully\"}\n");
    out
}

/// A time that was given; Go's zero time is none.
#[derive(Debug, Default)]
struct WireTime(Option<SystemTime>);

impl DecodeOver for WireTime {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(text) = Option::<Box<str>>::deserialize(deserializer)? {
            self.0 = go_time::read(&text).map_err(D::Error::custom)?;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct WireExposure {
    entity_context: Option<Value>,
    entity_id: Option<Box<str>>,
    entity_type: Box<str>,
    flag_id: i64,
    flag_key: Box<str>,
    snapshot_id: i64,
    timestamp: WireTime,
    variant_id: i64,
    variant_key: Box<str>,
}

impl WireExposure {
    const STRUCT: Struct = Struct {
        name: "Exposure",
        fields: &[
            "entityContext",
            "entityID",
            "entityType",
            "flagID",
            "flagKey",
            "flagSnapshotID",
            "timestamp",
            "variantID",
            "variantKey",
        ],
        kinds: &[
            Kind::Any,
            Kind::Text,
            Kind::Text,
            Kind::Int64,
            Kind::Text,
            Kind::Int64,
            Kind::Time,
            Kind::Int64,
            Kind::Text,
        ],
    };

    /// Numbers that are not positive stand for none.
    fn into_exposure(self) -> Exposure {
        let id = |it: i64| u64::try_from(it).unwrap_or_default();
        Exposure {
            flag_id: FlagId(id(self.flag_id)),
            flag_key: self.flag_key,
            variant_id: VariantId(id(self.variant_id)),
            variant_key: self.variant_key,
            snapshot_id: SnapshotId(id(self.snapshot_id)),
            entity_id: self.entity_id.unwrap_or_default(),
            entity_type: self.entity_type,
            entity_context: self.entity_context,
            at: self.timestamp.0,
        }
    }
}

impl<'de> Lenient<'de> for WireExposure {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => {
                let raw: &RawValue = map.next_value()?;
                let value = read_value(raw, Numbers::AsWritten).map_err(M::Error::custom)?;
                self.entity_context = Some(value).filter(|it| *it != Value::Null);
                Ok(())
            }
            1 => map.next_value_seed(Over(&mut self.entity_id)),
            2 => map.next_value_seed(Over(&mut self.entity_type)),
            3 => map.next_value_seed(Over(&mut self.flag_id)),
            4 => map.next_value_seed(Over(&mut self.flag_key)),
            5 => map.next_value_seed(Over(&mut self.snapshot_id)),
            6 => map.next_value_seed(Over(&mut self.timestamp)),
            7 => map.next_value_seed(Over(&mut self.variant_id)),
            _ => map.next_value_seed(Over(&mut self.variant_key)),
        }
    }
}

impl DecodeOver for WireExposure {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        members(deserializer, Self::STRUCT.fields, self)
    }
}

/// A row, which may be `null`.
#[derive(Debug, Default)]
struct MaybeExposure(Option<WireExposure>);

impl DecodeOver for MaybeExposure {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let mut row = self.0.take().unwrap_or_default();
        self.0 = unless_null(deserializer, &mut row)?.then_some(row);
        Ok(())
    }
}

#[derive(Debug, Default)]
struct WireExposures {
    exposures: Slice<MaybeExposure>,
}

impl WireExposures {
    const STRUCT: Struct = Struct {
        name: "ExposuresRequest",
        fields: &["exposures"],
        kinds: &[Kind::List {
            item: &Kind::Struct(&WireExposure::STRUCT),
            name: "[]*models.Exposure",
        }],
    };
}

impl<'de> Lenient<'de> for WireExposures {
    fn read<M: MapAccess<'de>>(&mut self, _: usize, map: &mut M) -> Result<(), M::Error> {
        map.next_value_seed(Over(&mut self.exposures))
    }
}

impl DecodeOver for WireExposures {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        members(deserializer, Self::STRUCT.fields, self)
    }
}
