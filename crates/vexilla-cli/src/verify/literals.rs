//! What a constraint's value speaks of: its literals, and the variables in it.
//!
//! This is no parser. A value can hold whole conditions, and for making contexts it is enough to see which texts, numbers
//! and names occur in it; what they mean is for the two sides to decide.

use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{Number, Value};

/// What occurs in a value.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Literals {
    /// Texts, numbers and bools, in their order.
    pub(crate) values: Vec<Value>,
    /// Names and paths in braces.
    pub(crate) properties: Vec<Box<str>>,
}

impl Literals {
    /// Reads a value.
    pub(crate) fn find(text: &str) -> Self {
        let mut found = Self::default();
        if let Some(value) = as_json(text) {
            found.add(value);
            return found;
        }
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = match first {
                '"' => found.quoted(rest),
                '{' => found.braced(rest),
                '-' | '.' | '0'..='9' => found.number(rest),
                it if it.is_alphabetic() => found.word(rest),
                it => skip(rest, it.len_utf8()),
            };
        }
        found
    }

    fn add(&mut self, value: Value) {
        match value {
            Value::Array(items) => items.into_iter().for_each(|it| self.add(it)),
            value => self.values.push(value),
        }
    }

    fn quoted<'t>(&mut self, text: &'t str) -> &'t str {
        let mut escaped = false;
        let end = skip(text, 1).find(|it| {
            let closes = it == '"' && !escaped;
            escaped = it == '\\' && !escaped;
            closes
        });
        let content = end.map_or(skip(text, 1), |end| skip(text, 1).get(..end).unwrap_or_default());
        let token = format!("\"{content}\"");
        self.values.push(as_json(&token).unwrap_or_else(|| Value::from(content)));
        skip(text, content.len() + 2)
    }

    fn braced<'t>(&mut self, text: &'t str) -> &'t str {
        let Some((name, rest)) = skip(text, 1).split_once('}') else { return "" };
        self.properties.push(name.into());
        rest
    }

    fn number<'t>(&mut self, text: &'t str) -> &'t str {
        let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-' | '+');
        let length = text.find(|it| !is_part(it)).unwrap_or(text.len());
        let token = text.get(..length).unwrap_or_default();
        if let Some(number) = token.replace('_', "").parse().ok().and_then(Number::from_f64) {
            self.values.push(Value::Number(number));
        }
        skip(text, length.max(1))
    }

    fn word<'t>(&mut self, text: &'t str) -> &'t str {
        let length = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
        match text.get(..length).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" => self.values.push(Value::Bool(true)),
            "false" => self.values.push(Value::Bool(false)),
            _ => {}
        }
        skip(text, length)
    }
}

fn as_json(text: &str) -> Option<Value> {
    read_value(serde_json::from_str(text).ok()?, Numbers::AsWritten).ok()
}

/// The text without this many bytes in front; nothing where it is shorter.
fn skip(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}
