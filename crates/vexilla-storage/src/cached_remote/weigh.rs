//! How many bytes answers, and what was asked, own beside their own size.

use vexilla_domain::{Answer, Context, FlagHead, Object, Value, VariantHead};

/// What an allocation takes beside its bytes, about.
const ALLOCATION: usize = 16;

pub(super) fn context(context: &Context) -> usize {
    let headers = context.headers().iter();
    let headers: usize = headers.map(|(name, value)| text(name) + text(value) + PAIR).sum();
    text(context.entity_id())
        + text(context.entity_type())
        + context.attributes().map_or(0, value)
        + headers
}

pub(super) fn answer(answer: &Answer) -> usize {
    let log = answer.log.segments.iter().flatten();
    text(&answer.entity_id)
        + text(&answer.log.message)
        + log.map(|it| text(&it.message) + size_of_val(it)).sum::<usize>()
        + answer.evaluation.flag.as_ref().map_or(0, flag)
        + answer.evaluation.variant.as_ref().map_or(0, variant)
}

/// Two texts beside each other.
const PAIR: usize = 2 * size_of::<Box<str>>();

fn flag(head: &FlagHead) -> usize {
    let tags: usize = head.tags.iter().map(|tag| text(tag) + size_of::<Box<str>>()).sum();
    text(&head.key) + text(&head.entity_type) + tags + ALLOCATION
}

fn variant(head: &VariantHead) -> usize {
    let attachment = head.attachment.as_deref().map_or(0, |it| object(it) + 2 * ALLOCATION);
    text(&head.key) + attachment
}

fn value(it: &Value) -> usize {
    match it {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(_) => 2 * ALLOCATION, // most own nothing, some their text
        Value::String(it) => text(it),
        Value::Array(items) => {
            items.iter().map(|it| size_of::<Value>() + value(it)).sum::<usize>() + ALLOCATION
        }
        Value::Object(it) => object(it),
    }
}

fn object(it: &Object) -> usize {
    let member = size_of::<(Box<str>, Value)>();
    it.iter().map(|(name, it)| member + text(name) + value(it)).sum::<usize>() + ALLOCATION
}

fn text(it: &str) -> usize {
    if it.is_empty() { 0 } else { it.len() + ALLOCATION }
}
