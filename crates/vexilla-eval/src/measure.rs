//! How much memory a compiled flag takes, for whoever has a budget.

use vexilla_domain::{Object, Value};

use crate::compile::{CompiledFlag, CompiledSegment, Condition};
use crate::rollout::Rollout;

/// What an allocation takes beside its bytes: the allocator's own words, and what it rounds up.
pub(crate) const ALLOCATION: usize = 16;

/// A regular expression: its program and the scratch memory of the threads that use it, as measured for small ones.
pub(crate) const REGEX: usize = 16 * 1024;

impl CompiledFlag {
    /// How many bytes the flag owns beside its own size, by a careful guess.
    pub fn heap_bytes(&self) -> usize {
        let head = &self.head;
        let tags: usize = head.tags.iter().map(|it| size_of::<Box<str>>() + text(it)).sum();
        let variants = self.variants.iter().map(|it| {
            let attachment = it.attachment.as_deref().filter(|it| !it.is_empty());
            text(&it.key) + attachment.map_or(0, |it| ALLOCATION + object(it))
        });
        let segments = self.segments.iter().map(|it| {
            it.condition.as_ref().map_or(0, Condition::heap_bytes) + it.rollout.heap_bytes()
        });
        text(&head.key)
            + text(&head.entity_type)
            + tags
            + ALLOCATION
            + variants.sum::<usize>()
            + size_of_val(&*self.variants)
            + ALLOCATION
            + segments.sum::<usize>()
            + self.segments.len() * size_of::<CompiledSegment>()
            + ALLOCATION
    }
}

impl Condition {
    fn heap_bytes(&self) -> usize {
        self.program.heap_bytes() + text(&self.text)
    }
}

impl Rollout {
    fn heap_bytes(&self) -> usize {
        self.row_bytes() + ALLOCATION
    }
}

/// A text of its own.
pub(crate) fn text(text: &str) -> usize {
    bytes(text.len())
}

pub(crate) fn bytes(length: usize) -> usize {
    if length == 0 { 0 } else { length + ALLOCATION }
}

fn object(object: &Object) -> usize {
    let members =
        object.iter().map(|(name, it)| size_of::<(Box<str>, Value)>() + text(name) + value(it));
    ALLOCATION + members.sum::<usize>()
}

fn value(it: &Value) -> usize {
    match it {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => text(&number.to_string()),
        Value::String(it) => text(it),
        Value::Array(items) => {
            ALLOCATION + items.iter().map(|it| size_of::<Value>() + value(it)).sum::<usize>()
        }
        Value::Object(it) => object(it),
    }
}
