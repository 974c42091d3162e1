//! What operators make of their operands (6.5, 6.6, 6.7).

use vexilla_domain::Value;

use super::bytes::Bytes;
use super::expr::Op;
use super::pattern;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Number(f64),
    Text(Bytes),
    Bool(bool),
    Numbers(Vec<f64>),
    Texts(Vec<Bytes>),
}

/// What a context's value is worth.
pub(crate) fn of(value: &Value) -> Option<Operand> {
    match value {
        Value::Number(number) => Some(Operand::Number(number.as_f64()?)),
        Value::String(text) => Some(Operand::Text(Bytes::from(&**text))),
        Value::Bool(value) => Some(Operand::Bool(*value)),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => texts(items).or_else(|| numbers(items)),
        Value::Null | Value::Object(_) => None,
    }
}

fn texts(items: &[Value]) -> Option<Operand> {
    let text = |it: &Value| match it {
        Value::String(text) => Some(Bytes::from(&**text)),
        _ => None,
    };
    items.iter().map(text).collect::<Option<_>>().map(Operand::Texts)
}

fn numbers(items: &[Value]) -> Option<Operand> {
    let number = |it: &Value| match it {
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    items.iter().map(number).collect::<Option<_>>().map(Operand::Numbers)
}

/// Applies a comparison. None where Flagr has an error.
pub(crate) fn compare(left: &Operand, op: Op, right: &Operand) -> Option<bool> {
    use Operand::{Bool, Number, Numbers, Text, Texts};
    match (left, op, right) {
        (Number(a), Op::Eq, Number(b)) => Some(equal(*a, *b)),
        (Number(a), Op::Neq, Number(b)) => Some(!equal(*a, *b)),
        (Number(a), Op::Lt, Number(b)) => Some(a < b),
        (Number(a), Op::Lte, Number(b)) => Some(a < b || equal(*a, *b)),
        (Number(a), Op::Gt, Number(b)) => Some(a > b),
        (Number(a), Op::Gte, Number(b)) => Some(a > b || equal(*a, *b)),
        (Number(item), Op::In, Numbers(list)) | (Numbers(list), Op::Contains, Number(item)) => {
            Some(list.iter().any(|it| equal(*item, *it)))
        }
        (Number(item), Op::NotIn, Numbers(list))
        | (Numbers(list), Op::NotContains, Number(item)) => {
            Some(!list.iter().any(|it| equal(*item, *it)))
        }
        (Text(a), Op::Eq, Text(b)) => Some(a == b),
        (Text(a), Op::Neq, Text(b)) => Some(a != b),
        (Text(text), Op::Ereg, Text(pattern)) => pattern::matches(pattern, text),
        (Text(text), Op::Nereg, Text(pattern)) => pattern::matches(pattern, text).map(|it| !it),
        (Text(item), Op::In, Texts(list)) | (Texts(list), Op::Contains, Text(item)) => {
            Some(list.contains(item))
        }
        (Text(item), Op::NotIn, Texts(list)) | (Texts(list), Op::NotContains, Text(item)) => {
            Some(!list.contains(item))
        }
        (Bool(a), Op::Eq, Bool(b)) => Some(a == b),
        (Bool(a), Op::Neq, Bool(b)) => Some(a != b),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "the first of Flagr's steps")]
fn equal(a: f64, b: f64) -> bool {
    let difference = (a - b).abs();
    if a == b {
        true
    } else if difference > 1e-6 {
        false
    } else if a == 0.0 || b == 0.0 {
        difference < 1e-6 * 1.401_298_464_324_817e-45
    } else {
        difference / a.abs().max(b.abs()) < 1e-6
    }
}
