//! The plain interpreter, out of the tests of `vexilla-eval`.

#![expect(dead_code, reason = "the tests use more of it")]

#[path = "../../crates/vexilla-eval/tests/it/naive/bytes.rs"]
mod bytes;
#[path = "../../crates/vexilla-eval/tests/it/naive/context.rs"]
mod context;
#[path = "../../crates/vexilla-eval/tests/it/naive/expr.rs"]
mod expr;
#[path = "../../crates/vexilla-eval/tests/it/naive/flag.rs"]
pub(crate) mod flag;
#[path = "../../crates/vexilla-eval/tests/it/naive/lex.rs"]
mod lex;
#[path = "../../crates/vexilla-eval/tests/it/naive/literal.rs"]
mod literal;
#[path = "../../crates/vexilla-eval/tests/it/naive/operand.rs"]
mod operand;
#[path = "../../crates/vexilla-eval/tests/it/naive/outcome.rs"]
mod outcome;
#[path = "../../crates/vexilla-eval/tests/it/naive/parse.rs"]
pub(crate) mod parse;
#[path = "../../crates/vexilla-eval/tests/it/naive/pattern.rs"]
mod pattern;
#[path = "../../crates/vexilla-eval/tests/it/naive/scan.rs"]
mod scan;
#[path = "../../crates/vexilla-eval/tests/it/naive/source.rs"]
pub(crate) mod source;
#[path = "../../crates/vexilla-eval/tests/it/naive/variable.rs"]
mod variable;

pub(crate) use outcome::Outcome;
