//! Numbers as Go decodes them where it does not keep their text.

use vexilla_domain::Value;

/// Replaces each number by the float64 that it stands for.
///
/// # Errors
///
/// The text of a number that is out of a float64's range.
pub(crate) fn take_as_floats(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {}
        Value::Number(number) => {
            *number = number.decoded().ok_or_else(|| number.to_string())?;
        }
        Value::Array(items) => items.iter_mut().try_for_each(take_as_floats)?,
        Value::Object(object) => {
            let members = std::mem::take(object);
            let mut taken = Vec::with_capacity(members.len());
            for (name, value) in members.iter() {
                let mut value = value.clone();
                take_as_floats(&mut value)?;
                taken.push((Box::from(name), value));
            }
            *object = taken.into_iter().collect();
        }
    }
    Ok(())
}
