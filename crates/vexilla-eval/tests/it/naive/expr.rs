//! The tree, and what it comes to for a context (6.8).

use vexilla_domain::Object;

use super::operand::{Operand, compare};
use super::variable::Variable;
use super::{context, operand};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Operand),
    Variable(Variable),
    Group(Box<Expr>),
    Binary(Box<Expr>, Op, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    And,
    Or,
    Xor,
    Nand,
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Ereg,
    Nereg,
    In,
    NotIn,
    Contains,
    NotContains,
}

impl Op {
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or | Self::Xor => 1,
            Self::And | Self::Nand => 2,
            _ => 3,
        }
    }
}

/// Whether the condition holds. None is an error: the segment does not match.
pub(crate) fn holds(expr: &Expr, context: &Object) -> Option<bool> {
    boolean(&value(expr, context)?)
}

fn value(expr: &Expr, context: &Object) -> Option<Operand> {
    match expr {
        Expr::Literal(literal) => Some(literal.clone()),
        Expr::Variable(variable) => operand::of(context::find(variable, context)?),
        Expr::Group(inner) => value(inner, context),
        Expr::Binary(left, op, right) => binary(left, *op, right, context).map(Operand::Bool),
    }
}

fn binary(left: &Expr, op: Op, right: &Expr, context: &Object) -> Option<bool> {
    let left = value(left, context)?;
    match op {
        Op::And if !boolean(&left)? => Some(false),
        Op::Or if boolean(&left)? => Some(true),
        Op::And | Op::Or => boolean(&value(right, context)?),
        Op::Xor | Op::Nand => {
            let right = value(right, context)?;
            let (left, right) = (boolean(&left)?, boolean(&right)?);
            Some(if op == Op::Xor { left != right } else { !(left && right) })
        }
        _ => compare(&left, op, &value(right, context)?),
    }
}

fn boolean(operand: &Operand) -> Option<bool> {
    match operand {
        Operand::Bool(value) => Some(*value),
        _ => None,
    }
}
