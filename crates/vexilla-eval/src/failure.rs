//! Why a condition cannot be applied to a context. Such a condition does not match; these are the words for the trace.

use std::fmt;

use vexilla_domain::{Number, Value};

use crate::condition::{Variable, list, short};
use crate::go_print::{Printed, Quoted};
use crate::operand::Operand;

/// A condition that could not be applied, borrowed from what it could not be applied to: nothing is allocated unless
/// somebody prints it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure<'a> {
    Missing(&'a str),
    Null(&'a Variable),
    NullOnPath(&'a str),
    NullAtEnd(&'a str),
    NoMember(&'a str, &'a str),
    NoObject(&'a str, &'a str),
    NoArray(&'a str),
    OutOfBounds(i64, &'a str),
    OutOfRange(&'a Number),
    OutOfRangeInList(&'a Number),
    Object,
    EmptyList,
    MixedList,
    MixedNumbers,
    ListOf(&'a Value),
    Unequal(Operand<'a>, Operand<'a>),
    NoNumber(Operand<'a>),
    NoBool(Operand<'a>),
    NoTexts(Operand<'a>, Operand<'a>),
    NoTextList(Operand<'a>),
    NoNumberList(Operand<'a>),
    NoMemberOf(Operand<'a>),
    NotABool(Operand<'a>),
    Pattern(&'a str),
    /// A pattern that came from the context or a computed operand and does not compile.
    DynamicPattern,
}

/// Flagr's own words, as far as they are known.
impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "argument: {name} not found"),
            Self::Null(variable) => {
                write!(f, "unsupported argument nil type for {}", Name(variable))
            }
            Self::NullOnPath(root) => write!(f, "nil value encountered traversing {root}"),
            Self::NullAtEnd(root) => write!(f, "nil value at end of path {root}"),
            Self::NoMember(name, root) => {
                write!(f, "key {} not found traversing {root}", Quoted(name))
            }
            Self::NoObject(name, root) => {
                write!(f, "cannot access key {} on non-map value traversing {root}", Quoted(name))
            }
            Self::NoArray(root) => write!(f, "cannot index non-array value traversing {root}"),
            Self::OutOfBounds(index, root) => {
                write!(f, "index {index} out of bounds traversing {root}")
            }
            Self::OutOfRange(number) => out_of_range(f, number, ""),
            Self::OutOfRangeInList(number) => out_of_range(f, number, " in slice"),
            Self::Object => f.write_str("unsupported type: map[string]interface {}"),
            Self::EmptyList => f.write_str("empty slice not castable"),
            Self::MixedList => f.write_str("the items in the array are not all the same type"),
            Self::MixedNumbers => f.write_str("the items in the array are not all json.Number"),
            Self::ListOf(item) => write!(f, "unsupported slice element type: {}", go_type(item)),
            Self::Unequal(left, right) => match left {
                Operand::Text(_) => f.write_str("cannot compare string with non-string"),
                Operand::Number(_) => f.write_str("cannot compare number with non-number"),
                Operand::Bool(_) => f.write_str("cannot compare boolean with non-boolean"),
                _ => write!(
                    f,
                    "unsupported equality comparison for types {} and {}",
                    kind(left),
                    kind(right)
                ),
            },
            Self::NoNumber(operand) => write!(f, "literal is not a number: {}", Shown(operand)),
            Self::NoBool(operand) => write!(f, "literal is not a boolean: {}", Shown(operand)),
            Self::NoTexts(left, right) => {
                write!(
                    f,
                    "regex match requires string operands, got {} and {}",
                    kind(left),
                    kind(right)
                )
            }
            Self::NoTextList(operand) => {
                write!(f, "literal is not a slice of string: {}", Shown(operand))
            }
            Self::NoNumberList(operand) => {
                write!(f, "literal is not a slice of float64: {}", Shown(operand))
            }
            Self::NoMemberOf(operand) => {
                write!(f, "IN/CONTAINS not supported for type {}", kind(operand))
            }
            Self::NotABool(operand) => {
                write!(f, "unexpected result of the root expression: {}", Shown(operand))
            }
            Self::Pattern(complaint) => f.write_str(complaint),
            Self::DynamicPattern => f.write_str("invalid regex pattern"),
        }
    }
}

fn out_of_range(f: &mut fmt::Formatter<'_>, number: &Number, place: &str) -> fmt::Result {
    write!(
        f,
        "unsupported JSON Number {number}{place}: strconv.ParseFloat: parsing \"{number}\": value out of range"
    )
}

struct Name<'a>(&'a Variable);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Variable::Flat(name) | Variable::Path { root: name, .. } => f.write_str(name),
        }
    }
}

/// An operand the way Flagr prints a literal.
struct Shown<'a>(&'a Operand<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Number(number) => write!(f, "{number:.3}"),
            Operand::Text(text) => Quoted(&String::from_utf8_lossy(text)).fmt(f),
            Operand::Bool(value) => value.fmt(f),
            Operand::Numbers(set) => list(f, set.as_slice(), |f, number| short(f, *number)),
            Operand::Texts(set) => {
                list(f, set.as_slice(), |f, text| f.write_str(&String::from_utf8_lossy(text)))
            }
            Operand::ContextNumbers(items) | Operand::ContextTexts(items) => {
                list(f, items, |f, item| match item {
                    Value::Number(number) => short(f, number.as_f64().unwrap_or_default()),
                    other => Printed(other).fmt(f),
                })
            }
        }
    }
}

fn kind(operand: &Operand<'_>) -> &'static str {
    match operand {
        Operand::Number(_) => "*conditions.NumberLiteral",
        Operand::Text(_) => "*conditions.StringLiteral",
        Operand::Bool(_) => "*conditions.BooleanLiteral",
        Operand::Numbers(_) | Operand::ContextNumbers(_) => "*conditions.SliceNumberLiteral",
        Operand::Texts(_) | Operand::ContextTexts(_) => "*conditions.SliceStringLiteral",
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "json.Number",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
