//! Which flags an export is narrowed to: its query parameters, read as Flagr's Go reads them (`flagr-semantics` 3.6).

use std::borrow::Cow;
use std::collections::BTreeSet;

use vexilla_domain::json::{JsonError, read_flags, write_flags};
use vexilla_domain::{Flag, TagsOperator};

use crate::error::Refusal;
use crate::query::readable;

/// The flags that a request selects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Those with these ids, whatever else was given.
    Ids(BTreeSet<u64>),
    /// Those with these keys, whatever else was given but ids.
    Keys(BTreeSet<Box<str>>),
    /// Those in this state that have any or all of these tags. No tags, no condition.
    StateAndTags { enabled: Option<bool>, tags: BTreeSet<Box<str>>, operator: TagsOperator },
}

impl Selection {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Flagr's 422 for an id or an operator that is none; the ids are looked at first.
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let parameters = Parameters::read(query.unwrap_or_default());
        let ids = read_ids(&parameters.ids)?;
        let operator = match &*parameters.tags_operator {
            "" | "ANY" => TagsOperator::Any,
            "ALL" => TagsOperator::All,
            _ => {
                let message = "tagsOperator in query should be one of [ANY ALL]";
                return Err(Refusal::invalid(606, message));
            }
        };
        if !ids.is_empty() {
            return Ok(Self::Ids(ids));
        }
        let keys: BTreeSet<_> = items(&parameters.keys).map(Box::from).collect();
        if !keys.is_empty() {
            return Ok(Self::Keys(keys));
        }
        let enabled = (!parameters.enabled.is_empty()).then(|| is_true(&parameters.enabled));
        let tags = items(&parameters.tags).map(Box::from).collect();
        Ok(Self::StateAndTags { enabled, tags, operator })
    }

    /// Whether no flag is left out.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self, Self::StateAndTags { enabled: None, tags, .. } if tags.is_empty())
    }

    /// The selected flags of a document, as a document.
    ///
    /// # Errors
    ///
    /// If it is no document of flags.
    pub(crate) fn narrow(&self, document: &[u8]) -> Result<Vec<u8>, JsonError> {
        let flags = read_flags(document)?.flags;
        let mut json = write_flags(flags.iter().filter(|it| self.takes(it)));
        json.push(b'\n');
        Ok(json)
    }

    fn takes(&self, flag: &Flag) -> bool {
        let (enabled, tags, operator) = match self {
            Self::Ids(ids) => return ids.contains(&flag.id.0),
            Self::Keys(keys) => return keys.contains(&flag.key),
            Self::StateAndTags { enabled, tags, operator } => (enabled, tags, operator),
        };
        let is_tagged = || match operator {
            TagsOperator::Any => flag.tags.iter().any(|it| tags.contains(&it.value)),
            TagsOperator::All => tags.iter().all(|tag| flag.tags.iter().any(|it| it.value == *tag)),
        };
        enabled.is_none_or(|it| it == flag.enabled) && (tags.is_empty() || is_tagged())
    }
}

/// The known parameters; empty where not given. Of a repeated one the last counts.
#[derive(Default)]
struct Parameters<'q> {
    ids: Cow<'q, str>,
    keys: Cow<'q, str>,
    enabled: Cow<'q, str>,
    tags: Cow<'q, str>,
    tags_operator: Cow<'q, str>,
}

impl<'q> Parameters<'q> {
    fn read(query: &'q str) -> Self {
        let mut parameters = Self::default();
        let readable = readable(query);
        for (name, value) in readable.flat_map(|it| form_urlencoded::parse(it.as_bytes())) {
            match &*name {
                "ids" => parameters.ids = value,
                "keys" => parameters.keys = value,
                "enabled" => parameters.enabled = value,
                "tags" => parameters.tags = value,
                "tagsOperator" => parameters.tags_operator = value,
                _ => {}
            }
        }
        parameters
    }
}

/// The items of a list, which commas separate.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|it| !it.is_empty())
}

fn read_ids(list: &str) -> Result<BTreeSet<u64>, Refusal> {
    let id = |(index, item): (usize, &str)| match item.parse::<i64>().map(u64::try_from) {
        Ok(Ok(id)) if id > 0 => Ok(id),
        Ok(_) => {
            let message = format!("ids.{index} in query should be greater than or equal to 1");
            Err(Refusal::invalid(609, message))
        }
        Err(_) => Err(Refusal::invalid(601, format!("ids.{index} in query must be of type int64"))),
    };
    items(list).enumerate().map(id).collect()
}

/// Every other word is false.
fn is_true(word: &str) -> bool {
    matches!(
        &*word.to_lowercase(),
        "true" | "1" | "yes" | "ok" | "y" | "on" | "selected" | "checked" | "t" | "enabled"
    )
}
