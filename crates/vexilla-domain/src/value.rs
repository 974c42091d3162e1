//! What a context or an attachment holds: JSON, with the text of its numbers.

use crate::Number;

/// A JSON value.
///
/// Callers may match it exhaustively: JSON has no further kinds.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub enum Value {
    /// `null`; a constraint that reads it fails.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(Box<str>),
    /// A list. Constraints can use it when its items are all texts or all numbers.
    Array(Vec<Value>),
    /// An object, reachable by paths such as `device.os`.
    Object(Object),
}

/// A JSON object: members in the order of their names' bytes, each name once.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Object {
    // INVARIANT: strictly ascending by name.
    members: Vec<(Box<str>, Value)>,
}

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Sets a member; a former value of that name is replaced.
    pub fn insert(&mut self, name: &str, value: Value) {
        match self.position(name) {
            Ok(at) => {
                if let Some(member) = self.members.get_mut(at) {
                    member.1 = value;
                }
            }
            Err(at) => self.members.insert(at, (name.into(), value)),
        }
    }

    /// The member of this name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Value> {
        // A context has a handful of members: comparing lengths first beats a binary search up to here.
        if self.members.len() <= 8 {
            return self.members.iter().find(|(it, _)| **it == *name).map(|(_, value)| value);
        }
        self.position(name).ok().and_then(|at| self.members.get(at)).map(|(_, value)| value)
    }

    /// The members, in the order of their names' bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (&**name, value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(it, _)| (**it).cmp(name))
    }
}

/// Of several members of one name the last counts, as in Go.
impl FromIterator<(Box<str>, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Value)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.reverse();
        members.sort_by(|a, b| a.0.cmp(&b.0)); // stable: the last given comes first
        members.dedup_by(|later, kept| later.0 == kept.0);
        Self { members }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

macro_rules! from_integer {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Number(Number::from(i64::from(value)))
            }
        }
    )*};
}
from_integer!(i8 i16 i32 i64 u8 u16 u32);

/// NaN and the infinities become `null`, which no constraint matches.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(Self::Null, Self::Number)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests;
