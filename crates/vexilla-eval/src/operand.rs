//! Operands at evaluation: what a literal or a context value is worth, and how two of them compare.

use vexilla_domain::{Object, Value};

use crate::condition::{BinaryOp, Step, Variable};
use crate::failure::Failure;
use crate::program::Literal;
use crate::sets::{NumberSet, TextSet};

/// A value that an operator sees, borrowed from the condition or the context.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand<'a> {
    Number(f64),
    Text(&'a [u8]),
    Bool(bool),
    Numbers(&'a NumberSet),
    Texts(&'a TextSet),
    /// A list of the context. INVARIANT: not empty, all numbers in the range of a float.
    ContextNumbers(&'a [Value]),
    /// A list of the context. INVARIANT: not empty, all texts.
    ContextTexts(&'a [Value]),
}

impl<'a> Operand<'a> {
    #[inline]
    pub(crate) fn of_literal(literal: &'a Literal) -> Self {
        match literal {
            Literal::Number(number) => Self::Number(*number),
            Literal::Text(text) => Self::Text(text),
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Numbers(set) => Self::Numbers(set),
            Literal::Texts(set) => Self::Texts(set),
        }
    }

    /// What a context value is worth (`flagr-semantics` 6.5).
    #[inline]
    fn of_value(value: &'a Value, variable: &'a Variable) -> Result<Self, Failure<'a>> {
        match value {
            Value::String(text) => Ok(Self::Text(text.as_bytes())),
            Value::Number(number) => {
                number.as_f64().map(Self::Number).ok_or(Failure::OutOfRange(number))
            }
            Value::Bool(value) => Ok(Self::Bool(*value)),
            Value::Array(items) => Self::of_list(items),
            Value::Object(_) => Err(Failure::Object),
            Value::Null => Err(Failure::Null(variable)),
        }
    }

    fn of_list(items: &'a [Value]) -> Result<Self, Failure<'a>> {
        match items.first() {
            None => Err(Failure::EmptyList),
            Some(Value::String(_)) => {
                let texts = items.iter().all(|it| matches!(it, Value::String(_)));
                texts.then_some(Self::ContextTexts(items)).ok_or(Failure::MixedList)
            }
            Some(Value::Number(first)) => {
                for item in items {
                    let Value::Number(number) = item else {
                        return Err(first
                            .as_decoded()
                            .map_or(Failure::MixedNumbers, |_| Failure::MixedList));
                    };
                    number.as_f64().ok_or(Failure::OutOfRangeInList(number))?;
                }
                Ok(Self::ContextNumbers(items))
            }
            Some(other) => Err(Failure::ListOf(other)),
        }
    }
}

/// Reads a variable from the context.
#[inline]
pub(crate) fn resolve<'a>(
    variable: &'a Variable,
    context: &'a Object,
) -> Result<Operand<'a>, Failure<'a>> {
    match variable {
        Variable::Flat(name) => match context.get(name) {
            Some(value) => Operand::of_value(value, variable),
            None => Err(Failure::Missing(name)),
        },
        Variable::Path { root, steps } => walk(root, steps, context, variable),
    }
}

fn walk<'a>(
    root: &'a str,
    steps: &'a [Step],
    context: &'a Object,
    variable: &'a Variable,
) -> Result<Operand<'a>, Failure<'a>> {
    let mut current = context.get(root).ok_or(Failure::Missing(root))?;
    for step in steps {
        current = match (step, current) {
            (_, Value::Null) => return Err(Failure::NullOnPath(root)),
            (Step::Name(name), Value::Object(object)) => {
                object.get(name).ok_or(Failure::NoMember(name, root))?
            }
            (Step::Name(name), _) => return Err(Failure::NoObject(name, root)),
            (Step::Index(index), Value::Array(items)) => {
                at(items, *index).ok_or(Failure::OutOfBounds(*index, root))?
            }
            (Step::Index(_), _) => return Err(Failure::NoArray(root)),
        };
    }
    match current {
        Value::Null => Err(Failure::NullAtEnd(root)),
        value => Operand::of_value(value, variable),
    }
}

/// The item at an index; negative ones count from the end.
fn at(items: &[Value], index: i64) -> Option<&Value> {
    let place = match usize::try_from(index) {
        Ok(place) => place,
        Err(_) => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(place)
}

/// Applies a comparison (`flagr-semantics` 6.6). Regular expressions and the boolean operators are the program's.
#[inline]
pub(crate) fn compare<'a>(
    op: BinaryOp,
    left: Operand<'a>,
    right: Operand<'a>,
) -> Result<bool, Failure<'a>> {
    match op {
        BinaryOp::Eq => equal(left, right),
        BinaryOp::Neq => equal(left, right).map(|it| !it),
        BinaryOp::Lt => numbers(left, right).map(|(a, b)| a < b),
        BinaryOp::Gt => numbers(left, right).map(|(a, b)| a > b),
        BinaryOp::Lte => numbers(left, right).map(|(a, b)| a < b || nearly_equal(a, b)),
        BinaryOp::Gte => numbers(left, right).map(|(a, b)| a > b || nearly_equal(a, b)),
        BinaryOp::In => member(left, right),
        BinaryOp::NotIn => member(left, right).map(|it| !it),
        BinaryOp::Contains => member(right, left),
        BinaryOp::NotContains => member(right, left).map(|it| !it),
        BinaryOp::Ereg | BinaryOp::Nereg => Err(Failure::NoTexts(left, right)),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Nand => Err(Failure::NoBool(left)),
    }
}

#[inline]
fn equal<'a>(left: Operand<'a>, right: Operand<'a>) -> Result<bool, Failure<'a>> {
    match (left, right) {
        (Operand::Text(a), Operand::Text(b)) => Ok(a == b),
        (Operand::Number(a), Operand::Number(b)) => Ok(nearly_equal(a, b)),
        (Operand::Bool(a), Operand::Bool(b)) => Ok(a == b),
        (left, right) => Err(Failure::Unequal(left, right)),
    }
}

fn numbers<'a>(left: Operand<'a>, right: Operand<'a>) -> Result<(f64, f64), Failure<'a>> {
    match (left, right) {
        (Operand::Number(a), Operand::Number(b)) => Ok((a, b)),
        (Operand::Number(_), other) | (other, _) => Err(Failure::NoNumber(other)),
    }
}

/// Whether the list holds the item.
fn member<'a>(item: Operand<'a>, list: Operand<'a>) -> Result<bool, Failure<'a>> {
    match (item, list) {
        (Operand::Text(text), Operand::Texts(set)) => Ok(set.contains(text)),
        (Operand::Text(text), Operand::ContextTexts(items)) => {
            Ok(items.iter().any(|it| matches!(it, Value::String(it) if it.as_bytes() == text)))
        }
        (Operand::Number(number), Operand::Numbers(set)) => Ok(set.contains(number)),
        (Operand::Number(number), Operand::ContextNumbers(items)) => {
            Ok(items.iter().any(|it| match it {
                Value::Number(it) => it.as_f64().is_some_and(|it| nearly_equal(number, it)),
                _ => false,
            }))
        }
        (Operand::Text(_), other) => Err(Failure::NoTextList(other)),
        (Operand::Number(_), other) => Err(Failure::NoNumberList(other)),
        (other, _) => Err(Failure::NoMemberOf(other)),
    }
}

/// Flagr's equality of numbers (`flagr-semantics` 6.7): off by less than a millionth, also in relation to their size.
#[inline]
pub(crate) fn nearly_equal(a: f64, b: f64) -> bool {
    const EPSILON: f64 = 1e-6;
    const SMALLEST_F32: f64 = 1.401_298_464_324_817_070_923_729_583_289_916_131_280e-45;
    #[expect(clippy::float_cmp, reason = "the first of Flagr's own steps")]
    if a == b {
        return true;
    }
    let difference = (a - b).abs();
    if difference > EPSILON {
        return false;
    }
    if a == 0.0 || b == 0.0 {
        return difference < EPSILON * SMALLEST_F32;
    }
    difference / a.abs().max(b.abs()) < EPSILON
}
