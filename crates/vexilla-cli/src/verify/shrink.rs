//! Makes a context small while the answers still differ.

use vexilla_domain::{Answer, Context, FlagId, Number, Object, Value};

use super::ask::Asker;
use super::compare::{Comparison, compare};

/// Flagr is asked no more than this for one difference.
const MOST_STEPS: usize = 60;

/// So many smaller contexts are tried at once.
const AT_ONCE: usize = 50;

/// A context and what both sides say to it.
pub(crate) struct Found {
    pub(crate) context: Context,
    pub(crate) ours: Answer,
    pub(crate) theirs: Answer,
}

/// The smallest context found for which the answers differ; each round takes the first of all smaller ones that does.
pub(crate) async fn shrink(
    mut found: Found,
    flag: FlagId,
    asker: &mut Asker<'_>,
    decide: &(dyn Fn(&Context) -> Answer + Sync),
) -> Found {
    for _ in 0..MOST_STEPS {
        let mut smaller = smaller(&found.context);
        smaller.truncate(AT_ONCE);
        let replies = asker.ask(flag, &smaller).await;
        let next = smaller.into_iter().zip(replies).find_map(|(context, reply)| {
            let theirs = reply?.ok()?;
            let ours = decide(&context);
            matches!(compare(&ours, &theirs), Comparison::Different { .. }).then_some(Found {
                context,
                ours,
                theirs,
            })
        });
        match next {
            Some(next) => found = next,
            None => break,
        }
    }
    found
}

/// Contexts that are a step smaller, the boldest steps first.
fn smaller(context: &Context) -> Vec<Context> {
    let with = |attributes| Context::new(context.entity_id()).with_attributes(attributes);
    let mut contexts = Vec::new();
    if let Some(value) = context.attributes() {
        contexts.push(with(None));
        contexts.extend(simpler(value).into_iter().map(|it| with(Some(it))));
    }
    let same = || context.attributes().cloned();
    if 1 < context.entity_id().len() {
        contexts.extend(["1", "a"].map(|id| Context::new(id).with_attributes(same())));
    }
    contexts
}

/// Values that are a step simpler: fewer members, shorter texts, rounder numbers.
fn simpler(value: &Value) -> Vec<Value> {
    match value {
        Value::Null | Value::Bool(_) => Vec::new(),
        Value::Number(number) => simpler_numbers(number),
        Value::String(text) => simpler_texts(text),
        Value::Array(items) => {
            let without = (0..items.len()).map(|at| {
                let kept = items.iter().enumerate().filter(|(place, _)| *place != at);
                Value::Array(kept.map(|(_, it)| it.clone()).collect())
            });
            let with = items.iter().enumerate().flat_map(|(at, item)| {
                simpler(item).into_iter().map(move |new| {
                    let mut items = items.clone();
                    items.splice(at..=at, [new]);
                    Value::Array(items)
                })
            });
            without.chain(with).collect()
        }
        Value::Object(object) => {
            let without = object.iter().map(|(name, _)| Value::Object(removed(object, name)));
            let with = object.iter().flat_map(|(name, value)| {
                simpler(value).into_iter().map(move |new| {
                    let mut object = object.clone();
                    object.insert(name, new);
                    Value::Object(object)
                })
            });
            let mut all = Vec::new();
            if 1 < object.len() {
                all.push(Value::Object(Object::new()));
            }
            all.extend(without.chain(with));
            all
        }
    }
}

fn removed(object: &Object, name: &str) -> Object {
    object
        .iter()
        .filter(|(it, _)| *it != name)
        .map(|(name, it)| (name.into(), it.clone()))
        .collect()
}

/// Each has fewer characters than the number, so that this comes to an end.
fn simpler_numbers(number: &Number) -> Vec<Value> {
    let length = number.to_string().len();
    let value = number.as_f64().unwrap_or_default();
    [0.0, 1.0, value.trunc(), (value * 1000.0).trunc() / 1000.0, value.abs()]
        .into_iter()
        .filter_map(Number::from_f64)
        .filter(|it| it.to_string().len() < length)
        .map(Value::Number)
        .collect()
}

fn simpler_texts(text: &str) -> Vec<Value> {
    let count = text.chars().count();
    if count == 0 {
        return Vec::new();
    }
    let half = count.div_ceil(2);
    let cuts: [String; 4] = [
        String::new(),
        text.chars().take(count - half).collect(),
        text.chars().skip(1).collect(),
        text.chars().take(count - 1).collect(),
    ];
    cuts.into_iter().map(Value::from).collect()
}
