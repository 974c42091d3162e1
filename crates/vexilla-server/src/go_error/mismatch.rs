//! The first member of a request that has another type than Go's struct wants.

use serde::de::MapAccess;
use serde_json::value::RawValue;
use vexilla_domain::json::{Lenient, members};

use crate::go_time;

/// What Go decodes a value into.
#[derive(Debug)]
pub(crate) enum Kind {
    Any,
    Bool,
    Int64,
    Text,
    /// A text that is a time. Another one ends Go's reading at once.
    Time,
    /// With Go's name of the list's type.
    List {
        item: &'static Kind,
        name: &'static str,
    },
    Struct(&'static Struct),
}

/// A struct of Flagr's.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: &'static str,
    /// The members' names and, in the same order, what they are decoded into.
    pub(crate) fields: &'static [&'static str],
    pub(crate) kinds: &'static [Kind],
}

/// Go's words for the first value that does not fit, in the order of the text.
pub(super) fn find(value: &str, shape: &'static Struct) -> Option<String> {
    let mut search = Search { path: Vec::new(), inside: None, found: None, fatal: None };
    search.check(value.trim_ascii_start(), &Kind::Struct(shape));
    search.fatal.or(search.found)
}

struct Search {
    /// The members that lead to the value that is looked at.
    path: Vec<&'static str>,
    /// The struct that the last of them belongs to.
    inside: Option<&'static Struct>,
    found: Option<String>,
    /// What ends the reading, whatever was found before.
    fatal: Option<String>,
}

impl Search {
    fn check(&mut self, raw: &str, kind: &Kind) {
        if self.fatal.is_some() || raw == "null" {
            return;
        }
        let given = match raw.as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "bool",
            _ => "number",
        };
        match (kind, given) {
            (Kind::Any, _) | (Kind::Bool, "bool") | (Kind::Text, "string") => {}
            (Kind::Time, "string") => {
                let text: String = serde_json::from_str(raw).unwrap_or_default();
                self.fatal = go_time::read(&text).err();
            }
            (Kind::Time, _) => self.fatal = Some(self.words(given, kind)),
            (Kind::Int64, "number") if raw.parse::<i64>().is_ok() => {}
            (Kind::Int64, "number") => self.report(&format!("number {raw}"), kind),
            (Kind::List { item, .. }, "array") => {
                for element in serde_json::from_str::<Vec<&RawValue>>(raw).unwrap_or_default() {
                    self.check(element.get(), item);
                }
            }
            (Kind::Struct(shape), "object") => self.check_members(raw, shape),
            _ => self.report(given, kind),
        }
    }

    fn check_members(&mut self, raw: &str, shape: &'static Struct) {
        let outer = self.inside.replace(shape);
        let mut check = Members { search: self, shape };
        // The text is known to be JSON: reading cannot fail, and would only end the search.
        let _read = members(&mut serde_json::Deserializer::from_str(raw), shape.fields, &mut check);
        self.inside = outer;
    }

    fn report(&mut self, given: &str, kind: &Kind) {
        if self.found.is_none() {
            self.found = Some(self.words(given, kind));
        }
    }

    fn words(&self, given: &str, kind: &Kind) -> String {
        let wanted = match kind {
            Kind::Any => "any",
            Kind::Bool => "bool",
            Kind::Int64 => "int64",
            Kind::Text | Kind::Time => "string",
            Kind::List { name, .. } => name,
            Kind::Struct(shape) => &format!("models.{}", shape.name),
        };
        let place = match self.inside {
            Some(shape) => format!("struct field {}.{}", shape.name, self.path.join(".")),
            None => "value".to_owned(),
        };
        format!("json: cannot unmarshal {given} into Go {place} of type {wanted}")
    }
}

struct Members<'s> {
    search: &'s mut Search,
    shape: &'static Struct,
}

impl<'de> Lenient<'de> for Members<'_> {
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error> {
        let raw: &RawValue = map.next_value()?;
        if let (Some(field), Some(kind)) =
            (self.shape.fields.get(index), self.shape.kinds.get(index))
        {
            self.search.path.push(field);
            self.search.check(raw.get(), kind);
            self.search.path.pop();
        }
        Ok(())
    }
}
