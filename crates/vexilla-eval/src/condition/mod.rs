//! The condition language: from a segment's constraints to an expression tree.
//!
//! Flagr pastes a constraint's property and value into a text and parses that text, so a value can hold whole
//! conditions, and text that looks harmless can hide what follows it. The stages here are the same:
//! `source.rs` builds the text, `condition.pest` reads it, `parse.rs` turns what was read into an [`Expr`].

mod display;
mod error;
mod expr;
mod literal;
mod parse;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use display::{list, quote, short};
pub use error::{ConditionError, ConditionErrorKind, TextPosition};
pub(crate) use expr::{BinaryOp, Expr, Step, Variable};
pub(crate) use parse::parse;
pub(crate) use source::{constraint_text, segment_text};
