//! Lists as Go decodes them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::decode::DecodeOver;

/// A list member. Given twice, the second list is decoded over the first, item by item, as Go does; even items that a
/// shorter list has cut off come back when a longer one follows.
#[derive(Debug, Default)]
pub(crate) struct Slice<T> {
    items: Vec<T>,
    len: usize,
    given: bool,
}

impl<T: DecodeOver> Slice<T> {
    /// The items; `None` when the list is absent or `null`.
    pub(crate) fn into_items(mut self) -> Option<Vec<T>> {
        self.items.truncate(self.len);
        self.given.then_some(self.items)
    }
}

impl<T: DecodeOver> DecodeOver for Slice<T> {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: DecodeOver> Visitor<'de> for &mut Slice<T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or null")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        *self = Slice { items: Vec::new(), len: 0, given: false };
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.given = true;
        self.len = 0;
        while seq.next_element_seed(Item { items: &mut self.items, at: self.len })?.is_some() {
            self.len += 1;
        }
        if self.len == 0 {
            self.items.clear();
        }
        Ok(())
    }
}

struct Item<'s, T> {
    items: &'s mut Vec<T>,
    at: usize,
}

impl<'de, T: DecodeOver> DeserializeSeed<'de> for Item<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.at == self.items.len() {
            self.items.push(T::default());
        }
        self.items.get_mut(self.at).map_or(Ok(()), |item| item.decode_over(deserializer))
    }
}
