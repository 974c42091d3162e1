//! The bodies of `POST /evaluation` and `/evaluation/batch`, read and checked as Flagr does.

use serde::de::{Deserializer, Error as _, MapAccess};
use serde_json::value::RawValue;
use vexilla_domain::json::{Lenient, Numbers, members, read_value, repair};
use vexilla_domain::{Context, TagsOperator, Value};

use crate::decode::{DecodeOver, Over, unless_null};
use crate::error::Refusal;
use crate::go_error::{self, Kind, MAX_DEPTH, Struct};
use crate::slice::Slice;

/// A checked `POST /evaluation`.
#[derive(Debug)]
pub(crate) struct EvaluationRequest {
    pub(crate) context: Context,
    pub(crate) flag_id: u64,
    pub(crate) flag_key: Box<str>,
    pub(crate) flag_tags: Vec<Box<str>>,
    pub(crate) flag_tags_operator: Option<TagsOperator>,
    pub(crate) enable_debug: bool,
}

/// A checked `POST /evaluation/batch`.
#[derive(Debug)]
pub(crate) struct BatchRequest {
    /// `None` stands for an item that is `null`.
    pub(crate) entities: Vec<Option<Context>>,
    pub(crate) flag_ids: Vec<u64>,
    pub(crate) flag_keys: Vec<Box<str>>,
    pub(crate) flag_tags: Vec<Box<str>>,
    pub(crate) flag_tags_operator: Option<TagsOperator>,
    pub(crate) enable_debug: bool,
}

impl EvaluationRequest {
    /// Reads a body that is not empty.
    ///
    /// # Errors
    ///
    /// Flagr's answer to a body that is no such request.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let wire: WireEvaluation = decode(body, &WireEvaluation::STRUCT)?;
        let Ok(flag_id) = u64::try_from(wire.flag_id) else { return Err(too_small("flagID")) };
        Ok(Self {
            flag_tags_operator: operator(wire.flag_tags_operator.as_deref())?,
            context: wire.entity.into_context(),
            flag_id,
            flag_key: wire.flag_key,
            flag_tags: wire.flag_tags.into_items().unwrap_or_default(),
            enable_debug: wire.enable_debug,
        })
    }
}

impl BatchRequest {
    /// Reads a body that is not empty.
    ///
    /// # Errors
    ///
    /// Flagr's answer to a body that is no such request.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let wire: WireBatch = decode(body, &WireBatch::STRUCT)?;
        let Some(entities) = wire.entities.into_items() else {
            return Err(Refusal::invalid(602, "entities in body is required"));
        };
        not_empty("entities", &entities)?;
        let flag_ids = wire.flag_ids.into_items();
        let flag_keys = wire.flag_keys.into_items();
        let flag_tags = wire.flag_tags.into_items();
        Ok(Self {
            flag_ids: flag_ids.map_or(Ok(Vec::new()), checked_ids)?,
            flag_keys: flag_keys.map_or(Ok(Vec::new()), |keys| checked_texts("flagKeys", keys))?,
            flag_tags: flag_tags.map_or(Ok(Vec::new()), |tags| checked_texts("flagTags", tags))?,
            flag_tags_operator: operator(wire.flag_tags_operator.as_deref())?,
            entities: entities.into_iter().map(|it| it.0.map(WireEntity::into_context)).collect(),
            enable_debug: wire.enable_debug,
        })
    }

    /// How many evaluations it asks for, as Flagr counts them: tags count once, however many flags they select.
    pub(crate) fn size(&self) -> usize {
        let selected = distinct(&self.flag_ids)
            + distinct(&self.flag_keys)
            + usize::from(!self.flag_tags.is_empty());
        self.entities.len().saturating_mul(selected)
    }
}

fn distinct<T: Ord>(items: &[T]) -> usize {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_unstable();
    items.dedup();
    items.len()
}

fn checked_ids(ids: Vec<i64>) -> Result<Vec<u64>, Refusal> {
    not_empty("flagIDs", &ids)?;
    let checked = ids.into_iter().enumerate().map(|(index, id)| match u64::try_from(id) {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(too_small(&format!("flagIDs.{index}"))),
    });
    checked.collect()
}

fn checked_texts(name: &str, texts: Vec<Box<str>>) -> Result<Vec<Box<str>>, Refusal> {
    not_empty(name, &texts)?;
    match texts.iter().position(|text| text.is_empty()) {
        Some(index) => Err(Refusal::invalid(
            604,
            format!("{name}.{index} in body should be at least 1 chars long"),
        )),
        None => Ok(texts),
    }
}

fn not_empty<T>(name: &str, items: &[T]) -> Result<(), Refusal> {
    if items.is_empty() {
        return Err(Refusal::invalid(612, format!("{name} in body should have at least 1 items")));
    }
    Ok(())
}

fn too_small(name: &str) -> Refusal {
    Refusal::invalid(609, format!("{name} in body should be greater than or equal to 1"))
}

fn operator(text: Option<&str>) -> Result<Option<TagsOperator>, Refusal> {
    match text {
        None => Ok(None),
        Some("ANY") => Ok(Some(TagsOperator::Any)),
        Some("ALL") => Ok(Some(TagsOperator::All)),
        Some(_) => {
            Err(Refusal::invalid(606, "flagTagsOperator in body should be one of [ANY ALL]"))
        }
    }
}

/// Reads the first value of a body; what follows it is ignored. `null` gives an empty request.
fn decode<T: DecodeOver>(body: &[u8], shape: &'static Struct) -> Result<T, Refusal> {
    // Too deep for Go, where serde_json skips it: only a body with that many brackets has to be looked at.
    let brackets = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > MAX_DEPTH {
        go_error::first_value(body).map_err(go_error::SyntaxError::into_refusal)?;
    }
    let text = repair(body);
    let mut target = T::default();
    match unless_null(&mut serde_json::Deserializer::from_str(&text), &mut target) {
        Ok(_) => Ok(target),
        Err(error) => Err(go_error::explain(body, shape, &error)),
    }
}

#[derive(Debug, Default)]
struct WireEntity {
    context: Option<Value>,
    id: Box<str>,
    kind: Box<str>,
}

impl WireEntity {
    const STRUCT: Struct = Struct {
        name: "EvaluationEntity",
        fields: &["entityID", "entityType", "entityContext"],
        kinds: &[Kind::Text, Kind::Text, Kind::Any],
    };

    fn into_context(self) -> Context {
        Context::new(self.id).with_entity_type(self.kind).with_attributes(self.context)
    }
}

impl<'de> Lenient<'de> for WireEntity {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => map.next_value_seed(Over(&mut self.id)),
            1 => map.next_value_seed(Over(&mut self.kind)),
            _ => {
                let raw: &RawValue = map.next_value()?;
                self.context =
                    match read_value(raw, Numbers::AsWritten).map_err(M::Error::custom)? {
                        Value::Null => None,
                        value => Some(value),
                    };
                Ok(())
            }
        }
    }
}

impl DecodeOver for WireEntity {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        members(deserializer, Self::STRUCT.fields, self)
    }
}

#[derive(Debug, Default)]
struct WireEvaluation {
    entity: WireEntity,
    flag_id: i64,
    flag_key: Box<str>,
    enable_debug: bool,
    flag_tags: Slice<Box<str>>,
    flag_tags_operator: Option<Box<str>>,
}

impl WireEvaluation {
    /// The first three members are the entity's.
    const STRUCT: Struct = Struct {
        name: "EvalContext",
        fields: &[
            "entityID",
            "entityType",
            "entityContext",
            "flagID",
            "flagKey",
            "enableDebug",
            "flagTags",
            "flagTagsOperator",
        ],
        kinds: &[
            Kind::Text,
            Kind::Text,
            Kind::Any,
            Kind::Int64,
            Kind::Text,
            Kind::Bool,
            Kind::List { item: &Kind::Text, name: "[]string" },
            Kind::Text,
        ],
    };
}

impl<'de> Lenient<'de> for WireEvaluation {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            3 => map.next_value_seed(Over(&mut self.flag_id)),
            4 => map.next_value_seed(Over(&mut self.flag_key)),
            5 => map.next_value_seed(Over(&mut self.enable_debug)),
            6 => map.next_value_seed(Over(&mut self.flag_tags)),
            7 => map.next_value_seed(Over(&mut self.flag_tags_operator)),
            entity => self.entity.read(entity, map),
        }
    }
}

impl DecodeOver for WireEvaluation {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        members(deserializer, Self::STRUCT.fields, self)
    }
}

/// An item of `entities`, which may be `null`.
#[derive(Debug, Default)]
struct MaybeEntity(Option<WireEntity>);

impl DecodeOver for MaybeEntity {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let mut entity = self.0.take().unwrap_or_default();
        self.0 = unless_null(deserializer, &mut entity)?.then_some(entity);
        Ok(())
    }
}

#[derive(Debug, Default)]
struct WireBatch {
    entities: Slice<MaybeEntity>,
    flag_ids: Slice<i64>,
    flag_keys: Slice<Box<str>>,
    flag_tags: Slice<Box<str>>,
    flag_tags_operator: Option<Box<str>>,
    enable_debug: bool,
}

impl WireBatch {
    const STRUCT: Struct = Struct {
        name: "EvaluationBatchRequest",
        fields: &["entities", "flagIDs", "flagKeys", "flagTags", "flagTagsOperator", "enableDebug"],
        kinds: &[
            Kind::List {
                item: &Kind::Struct(&WireEntity::STRUCT),
                name: "[]*models.EvaluationEntity",
            },
            Kind::List { item: &Kind::Int64, name: "[]int64" },
            Kind::List { item: &Kind::Text, name: "[]string" },
            Kind::List { item: &Kind::Text, name: "[]string" },
            Kind::Text,
            Kind::Bool,
        ],
    };
}

impl<'de> Lenient<'de> for WireBatch {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        match index {
            0 => map.next_value_seed(Over(&mut self.entities)),
            1 => map.next_value_seed(Over(&mut self.flag_ids)),
            2 => map.next_value_seed(Over(&mut self.flag_keys)),
            3 => map.next_value_seed(Over(&mut self.flag_tags)),
            4 => map.next_value_seed(Over(&mut self.flag_tags_operator)),
            _ => map.next_value_seed(Over(&mut self.enable_debug)),
        }
    }
}

impl DecodeOver for WireBatch {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        members(deserializer, Self::STRUCT.fields, self)
    }
}
