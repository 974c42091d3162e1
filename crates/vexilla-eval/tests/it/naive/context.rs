//! Where in a context a variable finds its value (6.4).

use vexilla_domain::{Object, Value};

use super::variable::{Step, Variable};

pub(crate) fn find<'c>(variable: &Variable, context: &'c Object) -> Option<&'c Value> {
    match variable {
        Variable::Flat(key) => member(context, key),
        Variable::Path(root, steps) => {
            let mut value = member(context, root)?;
            for step in steps {
                value = match (step, value) {
                    (Step::Name(name), Value::Object(object)) => member(object, name)?,
                    (Step::Index(index), Value::Array(items)) => {
                        let count = i64::try_from(items.len()).ok()?;
                        let place = if *index < 0 { index.checked_add(count)? } else { *index };
                        items.get(usize::try_from(place).ok()?)?
                    }
                    _ => return None,
                };
            }
            Some(value)
        }
    }
}

fn member<'c>(object: &'c Object, name: &str) -> Option<&'c Value> {
    object.iter().find(|(it, _)| *it == name).map(|(_, value)| value)
}
