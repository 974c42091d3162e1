//! Values as Go decodes them: over what is there already, where `null` mostly changes nothing.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, Visitor};
use serde_json::value::RawValue;

/// Something that Go decodes over what is there already.
pub(crate) trait DecodeOver: Default {
    /// Reads a value over this one. What the value leaves out stays as it is.
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

/// Lets serde decode over a value.
pub(crate) struct Over<'t, T>(pub(crate) &'t mut T);

impl<'de, T: DecodeOver> DeserializeSeed<'de> for Over<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.decode_over(deserializer)
    }
}

/// Reads a value that is not `null` over the target; tells whether there was one.
pub(crate) fn unless_null<'de, D, T>(deserializer: D, target: &mut T) -> Result<bool, D::Error>
where
    D: Deserializer<'de>,
    T: DecodeOver,
{
    deserializer.deserialize_option(UnlessNull(target))
}

struct UnlessNull<'t, T>(&'t mut T);

impl<'de, T: DecodeOver> Visitor<'de> for UnlessNull<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        self.0.decode_over(deserializer).map(|()| true)
    }
}

impl DecodeOver for Box<str> {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(text) = Option::<Self>::deserialize(deserializer)? {
            *self = text;
        }
        Ok(())
    }
}

impl DecodeOver for bool {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(value) = Option::<Self>::deserialize(deserializer)? {
            *self = value;
        }
        Ok(())
    }
}

/// By its text: `serde_json` takes `-0` for a float.
impl DecodeOver for i64 {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        match <&RawValue>::deserialize(deserializer)?.get() {
            "null" => {}
            text => *self = text.parse().map_err(D::Error::custom)?,
        }
        Ok(())
    }
}

/// A pointer in Go: here `null` does count.
impl DecodeOver for Option<Box<str>> {
    fn decode_over<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = Self::deserialize(deserializer)?;
        Ok(())
    }
}
