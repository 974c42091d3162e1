//! Where in a context a property finds its value, and how to put one there.

use vexilla_domain::{Object, Value};

/// A member of the context, and the way on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    root: Box<str>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    Index(i64),
}

/// Lists are not made longer than this, whatever index a property names.
const MOST_ITEMS: u64 = 32;

impl Place {
    /// The place of a property: a flat name, or a path. Names that no brace or bracket closes are taken as they are.
    pub(crate) fn of(property: &str) -> Self {
        let name: String = property.chars().filter(|it| !it.is_whitespace()).collect();
        if name.contains("}{") || name.contains('"') {
            return Self::flat(&name.replace("}{", "."));
        }
        let Some(end) = name.find(['.', '[']).filter(|end| *end > 0) else {
            return Self::flat(&name);
        };
        let (root, mut rest) = name.split_at(end);
        let mut steps = Vec::new();
        while let Some(first) = rest.chars().next() {
            rest = rest.get(1..).unwrap_or_default();
            if first == '[' {
                let Some((index, tail)) = rest.split_once(']') else { return Self::flat(&name) };
                let Ok(index) = index.parse() else { return Self::flat(&name) };
                steps.push(Step::Index(index));
                rest = tail;
            } else {
                let (step, tail) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
                if step.is_empty() || first != '.' {
                    return Self::flat(&name); // `1.5.`, or something behind a bracket
                }
                steps.push(Step::Name(step.into()));
                rest = tail;
            }
        }
        if root.starts_with(|it: char| it.is_ascii_digit()) {
            return Self::flat(&name); // a number is a name by itself
        }
        Self { root: root.into(), steps }
    }

    fn flat(name: &str) -> Self {
        Self { root: name.into(), steps: Vec::new() }
    }

    /// Whether the place is within a member's value.
    pub(crate) fn is_path(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The same name with its dots in it, where a path leads; a path, where a flat name has dots.
    pub(crate) fn other_form(&self) -> Option<Self> {
        if self.is_path() {
            let names = self.steps.iter().map(|step| match step {
                Step::Name(name) => format!(".{name}"),
                Step::Index(index) => format!("[{index}]"),
            });
            return Some(Self::flat(&format!("{}{}", self.root, names.collect::<String>())));
        }
        let (root, rest) = self.root.split_once('.').filter(|(root, _)| !root.is_empty())?;
        let steps = rest.split('.').map(|it| Step::Name(it.into())).collect();
        Some(Self { root: root.into(), steps })
    }

    /// The member that a path begins at.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Puts a value there; what stands in the way is replaced.
    pub(crate) fn put(&self, object: &mut Object, value: &Value) {
        let inner = put(object.get(&self.root).cloned(), &self.steps, value);
        object.insert(&self.root, inner);
    }
}

fn put(into: Option<Value>, steps: &[Step], value: &Value) -> Value {
    let Some((step, steps)) = steps.split_first() else { return value.clone() };
    match step {
        Step::Name(name) => {
            let mut object = match into {
                Some(Value::Object(object)) => object,
                _ => Object::new(),
            };
            let inner = put(object.get(name).cloned(), steps, value);
            object.insert(name, inner);
            Value::Object(object)
        }
        Step::Index(index) => {
            let mut items = match into {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            let wanted = match u64::try_from(*index) {
                Ok(index) => index.saturating_add(1),
                Err(_) => index.unsigned_abs(),
            };
            let wanted = usize::try_from(wanted.min(MOST_ITEMS)).unwrap_or_default();
            let length = items.len().max(wanted);
            let filler = put(None, steps, value);
            items.resize(length, filler);
            let place = if *index < 0 { length.checked_sub(wanted) } else { wanted.checked_sub(1) };
            if let Some(item) = place.and_then(|place| items.get_mut(place)) {
                *item = put(Some(item.clone()), steps, value);
            }
            Value::Array(items)
        }
    }
}
