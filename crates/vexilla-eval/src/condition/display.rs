//! Prints a condition the way Flagr's debug log does.

use std::fmt::{Display, Formatter, Result, Write};

use super::expr::{BinaryOp, Expr, Step, Variable};

/// A chain prints its operands in the order of the text, whatever its shape.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Chain { first, rest } => {
                write!(f, "{first}")?;
                rest.iter().try_for_each(|(op, operand)| write!(f, " {op} {operand}"))
            }
            Self::Group(inner) => write!(f, "({inner})"),
            Self::Number(number) => write!(f, "{number:.3}"),
            Self::String(text) => quote(f, &String::from_utf8_lossy(text)),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Numbers(numbers) => list(f, numbers, |f, number| short(f, *number)),
            Self::Strings(texts) => {
                list(f, texts, |f, text| f.write_str(&String::from_utf8_lossy(text)))
            }
            Self::Variable(variable) => write!(f, "{variable}"),
        }
    }
}

impl Display for Variable {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Flat(key)
                if key.chars().all(|it| it.is_ascii_alphabetic() || it == '_' || it == '.') =>
            {
                f.write_str(key)
            }
            Self::Flat(key) => quote(f, key),
            Self::Path { root, steps } => {
                f.write_str(root)?;
                steps.iter().try_for_each(|step| match step {
                    Step::Name(name) => write!(f, ".{name}"),
                    Step::Index(index) => write!(f, "[{index}]"),
                })
            }
        }
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::And => "AND",
            Self::Or => "OR",
            Self::Xor => "XOR",
            Self::Nand => "NAND",
            Self::Eq => "==",
            Self::Neq => "!=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Ereg => "=~",
            Self::Nereg => "!~",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::Contains => "CONTAINS",
            Self::NotContains => "NOT CONTAINS",
        })
    }
}

/// A text in double quotes.
pub(crate) fn quote(f: &mut Formatter<'_>, text: &str) -> Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '\n' => f.write_str("\\n")?,
            '\\' | '"' => write!(f, "\\{character}")?,
            _ => f.write_char(character)?,
        }
    }
    f.write_char('"')
}

/// Items in brackets, with spaces between them.
pub(crate) fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    print: impl Fn(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    f.write_char('[')?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_char(' ')?;
        }
        print(f, item)?;
    }
    f.write_char(']')
}

/// The fewest digits that give the number back; with an exponent of at least two digits when it is far from 1.
pub(crate) fn short(f: &mut Formatter<'_>, number: f64) -> Result {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return f.write_str(&scientific);
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => write!(f, "{number}"),
    }
}
