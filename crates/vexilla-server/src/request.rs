//! What `/evaluation` and `/evaluation/batch` are sent, in a body or in a query, read and checked as Flagr does.

use bytes::Bytes;
use serde::de::{Deserializer, Error as _, MapAccess};
use serde_json::value::RawValue;
use vexilla_domain::json::{Lenient, Numbers, members, read_value, repair};
use vexilla_domain::{Context, TagsOperator, Value};

use crate::decode::{DecodeOver, Over, unless_null};
use crate::error::Refusal;
use crate::float64::take_as_floats;
use crate::go_error::{self, Kind, MAX_DEPTH, Struct, only_value};
use crate::reject::{Rejected, Violation};
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

/// Where a request came from.
#[derive(Debug)]
pub(crate) enum Payload {
    /// The body of a `POST`: read up to the end of its first value, with the text of its numbers. Never empty.
    Body(Bytes),
    /// The parameter `json` of a `GET`: one value alone, its numbers taken through float64.
    Query(Vec<u8>),
}

impl EvaluationRequest {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// Flagr's answer to a payload that is no such request.
    pub(crate) fn read(payload: &Payload) -> Result<Self, Refusal> {
        match payload {
            Payload::Body(body) => {
                Self::read_from(body, Numbers::AsWritten).map_err(Rejected::in_body)
            }
            Payload::Query(text) => only_value(text)
                .map_err(Rejected::from)
                .and_then(|()| Self::read_from(text, Numbers::Float64))
                .map_err(|it| it.in_query("evalContext")),
        }
    }

    fn read_from(text: &[u8], numbers: Numbers) -> Result<Self, Rejected> {
        let mut wire: WireEvaluation = decode(text, &WireEvaluation::STRUCT)?;
        if numbers == Numbers::Float64 {
            wire.entity.take_numbers_as_floats(|text| {
                format!("number {text} into Go struct field EvalContext.entityContext")
            })?;
        }
        let mut violations = Vec::new();
        let flag_id = u64::try_from(wire.flag_id).map_err(|_| too_small("flagID"));
        let request = Self {
            flag_id: taken(flag_id, &mut violations),
            flag_tags_operator: taken(
                operator(wire.flag_tags_operator.as_deref()),
                &mut violations,
            ),
            context: wire.entity.into_context(),
            flag_key: wire.flag_key,
            flag_tags: wire.flag_tags.into_items().unwrap_or_default(),
            enable_debug: wire.enable_debug,
        };
        checked(request, violations)
    }
}

impl BatchRequest {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// Flagr's answer to a payload that is no such request.
    pub(crate) fn read(payload: &Payload) -> Result<Self, Refusal> {
        match payload {
            Payload::Body(body) => {
                Self::read_from(body, Numbers::AsWritten).map_err(Rejected::in_body)
            }
            Payload::Query(text) => only_value(text)
                .map_err(Rejected::from)
                .and_then(|()| Self::read_from(text, Numbers::Float64))
                .map_err(|it| it.in_query("evaluationBatchRequest")),
        }
    }

    fn read_from(text: &[u8], numbers: Numbers) -> Result<Self, Rejected> {
        let wire: WireBatch = decode(text, &WireBatch::STRUCT)?;
        let entities = match wire.entities.into_items() {
            None => Err(Violation::new(602, "entities in body is required")),
            Some(mut entities) => {
                if numbers == Numbers::Float64 {
                    for entity in entities.iter_mut().filter_map(|it| it.0.as_mut()) {
                        entity.take_numbers_as_floats(|text| {
                            format!(
                                "number {text} into Go struct field EvaluationEntity.entities.entityContext"
                            )
                        })?;
                    }
                }
                not_empty("entities", &entities).map(|()| {
                    entities.into_iter().map(|it| it.0.map(WireEntity::into_context)).collect()
                })
            }
        };
        let flag_ids = wire.flag_ids.into_items().map_or(Ok(Vec::new()), checked_ids);
        let flag_keys =
            wire.flag_keys.into_items().map_or(Ok(Vec::new()), |it| checked_texts("flagKeys", it));
        let flag_tags =
            wire.flag_tags.into_items().map_or(Ok(Vec::new()), |it| checked_texts("flagTags", it));
        let operator = operator(wire.flag_tags_operator.as_deref());
        let mut violations = Vec::new();
        let request = Self {
            entities: taken(entities, &mut violations),
            flag_ids: taken(flag_ids, &mut violations),
            flag_keys: taken(flag_keys, &mut violations),
            flag_tags: taken(flag_tags, &mut violations),
            flag_tags_operator: taken(operator, &mut violations),
            enable_debug: wire.enable_debug,
        };
        checked(request, violations)
    }

    /// How many evaluations it asks for, as Flagr counts them: tags count once, however many flags they select.
    pub(crate) fn size(&self) -> usize {
        let selected = distinct(&self.flag_ids)
            + distinct(&self.flag_keys)
            + usize::from(!self.flag_tags.is_empty());
        self.entities.len().saturating_mul(selected)
    }
}

/// The value, or a blank in its place and a note of the rule that it breaks.
fn taken<T: Default>(result: Result<T, Violation>, violations: &mut Vec<Violation>) -> T {
    result.unwrap_or_else(|violation| {
        violations.push(violation);
        T::default()
    })
}

fn checked<T>(request: T, violations: Vec<Violation>) -> Result<T, Rejected> {
    if violations.is_empty() { Ok(request) } else { Err(Rejected::Invalid(violations)) }
}

fn distinct<T: Ord>(items: &[T]) -> usize {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_unstable();
    items.dedup();
    items.len()
}

fn checked_ids(ids: Vec<i64>) -> Result<Vec<u64>, Violation> {
    not_empty("flagIDs", &ids)?;
    let checked = ids.into_iter().enumerate().map(|(index, id)| match u64::try_from(id) {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(too_small(&format!("flagIDs.{index}"))),
    });
    checked.collect()
}

fn checked_texts(name: &str, texts: Vec<Box<str>>) -> Result<Vec<Box<str>>, Violation> {
    not_empty(name, &texts)?;
    match texts.iter().position(|text| text.is_empty()) {
        Some(index) => Err(Violation::new(
            604,
            format!("{name}.{index} in body should be at least 1 chars long"),
        )),
        None => Ok(texts),
    }
}

pub(crate) fn not_empty<T>(name: &str, items: &[T]) -> Result<(), Violation> {
    if items.is_empty() {
        return Err(Violation::new(612, format!("{name} in body should have at least 1 items")));
    }
    Ok(())
}

fn too_small(name: &str) -> Violation {
    Violation::new(609, format!("{name} in body should be greater than or equal to 1"))
}

fn operator(text: Option<&str>) -> Result<Option<TagsOperator>, Violation> {
    match text {
        None => Ok(None),
        Some("ANY") => Ok(Some(TagsOperator::Any)),
        Some("ALL") => Ok(Some(TagsOperator::All)),
        Some(_) => Err(Violation::new(606, "flagTagsOperator in body should be one of [ANY ALL]")),
    }
}

/// Reads the first value of a body; what follows it is ignored. `null` gives an empty request.
pub(crate) fn decode<T: DecodeOver>(body: &[u8], shape: &'static Struct) -> Result<T, Rejected> {
    // Too deep for Go, where serde_json skips it: only a body with that many brackets has to be looked at.
    let brackets = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > MAX_DEPTH {
        go_error::first_value(body)?;
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

    /// Does to the numbers of the context what decoding into Go's `interface{}` does; `wording` tells where a number is.
    fn take_numbers_as_floats(&mut self, wording: impl Fn(&str) -> String) -> Result<(), Rejected> {
        let Some(context) = &mut self.context else { return Ok(()) };
        take_as_floats(context).map_err(|text| {
            let place = wording(&text);
            Rejected::Unreadable(format!("json: cannot unmarshal {place} of type float64"))
        })
    }

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
