//! Structs as Go decodes them: any case of member names, the last of several, `null` for nothing.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Whether Go takes the member name of a document for the field name: the same but for case.
pub fn same_name(member: &str, field: &str) -> bool {
    member == field
        || (member.len() >= field.len()
            && member.chars().map(fold).eq(field.chars().map(|it| it.to_ascii_lowercase())))
}

/// Unicode's simple case folding as far as it concerns ASCII names: the long s and the Kelvin sign fold too.
fn fold(letter: char) -> char {
    match letter {
        'ſ' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// What a member's value is read into.
pub trait Lenient<'de> {
    /// Reads the member at `index` of the field names; `null` must leave the field as it is.
    fn read<M: MapAccess<'de>>(&mut self, index: usize, map: &mut M) -> Result<(), M::Error>;
}

/// Reads an object into `target`, member by member, by these field names; what none of them names is skipped.
pub fn members<'de, D, T>(
    deserializer: D,
    fields: &'static [&'static str],
    target: &mut T,
) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
    T: Lenient<'de>,
{
    deserializer.deserialize_map(Members { fields, target })
}

struct Members<'t, T> {
    fields: &'static [&'static str],
    target: &'t mut T,
}

impl<'de, T: Lenient<'de>> Visitor<'de> for Members<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        // Members mostly come in the order of the fields: the search starts behind the last one found.
        let mut next = 0;
        while let Some(name) = map.next_key_seed(Name(PhantomData))? {
            let ordered = self.fields.iter().enumerate().cycle().skip(next).take(self.fields.len());
            let exact = ordered.clone().find(|(_, field)| name == **field);
            match exact.or_else(|| ordered.clone().find(|(_, field)| same_name(&name, field))) {
                Some((index, _)) => {
                    next = (index + 1) % self.fields.len().max(1);
                    self.target.read(index, &mut map)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A member's name, borrowed where the text allows.
struct Name<'de>(PhantomData<Cow<'de, str>>);

impl<'de> DeserializeSeed<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Sets a field to a member's value unless that is `null`.
pub(super) fn set<'de, M: MapAccess<'de>, T: Deserialize<'de>>(
    field: &mut T,
    map: &mut M,
) -> Result<(), M::Error> {
    if let Some(value) = map.next_value::<Option<T>>()? {
        *field = value;
    }
    Ok(())
}
