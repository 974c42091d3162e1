//! Values the way Go prints them in Flagr's debug logs.

use std::fmt;

use vexilla_domain::{Number, Object, Value};

use crate::condition;

/// A value as `fmt`'s `%v` shows it: `map[country:FR n:<nil>]`.
pub(crate) struct Printed<'a>(pub(crate) &'a Value);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("<nil>"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(number) => PrintedNumber(number).fmt(f),
            Value::String(text) => f.write_str(text),
            Value::Array(items) => condition::list(f, items, |f, item| Printed(item).fmt(f)),
            Value::Object(object) => PrintedObject(object).fmt(f),
        }
    }
}

/// A number as `%v` shows it: a `json.Number` is its text, a float64 is written anew.
struct PrintedNumber<'a>(&'a Number);

impl fmt::Display for PrintedNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_decoded() {
            Some(value) => condition::short(f, value),
            None => self.0.fmt(f),
        }
    }
}

/// An object as `%v` shows a map.
pub(crate) struct PrintedObject<'a>(pub(crate) &'a Object);

impl fmt::Display for PrintedObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("map[")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{name}:{}", Printed(value))?;
        }
        f.write_str("]")
    }
}

/// Something that is no object, as Flagr dumps a context that constraints cannot use: types, lengths and values.
pub(crate) struct Dumped<'a>(pub(crate) Option<&'a Value>);

impl fmt::Display for Dumped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dump(f, self.0.unwrap_or(&Value::Null), 0)?;
        f.write_str("\n")
    }
}

fn dump(f: &mut fmt::Formatter<'_>, value: &Value, depth: usize) -> fmt::Result {
    match value {
        Value::Null => f.write_str("(interface {}) <nil>"),
        Value::Bool(value) => write!(f, "(bool) {value}"),
        Value::Number(number) if number.as_decoded().is_some() => {
            write!(f, "(float64) {}", PrintedNumber(number))
        }
        Value::Number(number) => {
            write!(f, "(json.Number) (len={}) {number}", number.to_string().len())
        }
        Value::String(text) => write!(f, "(string) {}{}", Length(text.len()), Quoted(text)),
        Value::Array(items) if items.is_empty() => {
            write!(f, "([]interface {{}}) {{\n{:depth$}}}", "")
        }
        Value::Array(items) => {
            // Go's decoder doubles the list's room as it grows.
            let room = items.len().next_power_of_two();
            writeln!(f, "([]interface {{}}) (len={} cap={room}) {{", items.len())?;
            dump_members(f, depth, items.iter().map(|it| (None, it)))
        }
        Value::Object(object) => {
            writeln!(f, "(map[string]interface {{}}) {}{{", Length(object.len()))?;
            dump_members(f, depth, object.iter().map(|(name, value)| (Some(name), value)))
        }
    }
}

fn dump_members<'v>(
    f: &mut fmt::Formatter<'_>,
    depth: usize,
    members: impl ExactSizeIterator<Item = (Option<&'v str>, &'v Value)>,
) -> fmt::Result {
    let last = members.len().saturating_sub(1);
    for (index, (name, value)) in members.enumerate() {
        write!(f, "{:width$}", "", width = depth + 1)?;
        if let Some(name) = name {
            write!(f, "(string) {}{}: ", Length(name.len()), Quoted(name))?;
        }
        dump(f, value, depth + 1)?;
        f.write_str(if index < last { ",\n" } else { "\n" })?;
    }
    write!(f, "{:depth$}}}", "")
}

/// A length, unless it is zero.
struct Length(usize);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            length => write!(f, "(len={length}) "),
        }
    }
}

/// A text in double quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        condition::quote(f, self.0)
    }
}
