//! Flagr's evaluation once more, written from its specification in the plainest way, to hold the real one against.
//!
//! Nothing is shared with the crate but the types of the domain: text is cut into tokens by hand, tokens are pushed back
//! as Flagr pushes them back, the tree is turned where Flagr turns it, and a rollout is worked out anew each time.
//! One thing is borrowed: whether a regular expression matches is asked of the crate itself (`pattern.rs`), since this
//! is about the language around it; Go's regular expressions have their own tests.

#![expect(clippy::string_slice, reason = "a test that cannot go on fails")]

mod bytes;
mod context;
mod differential;
mod expr;
mod flag;
mod generate;
mod lex;
mod literal;
mod operand;
mod outcome;
mod parse;
mod pattern;
mod recorded;
mod scan;
mod source;
mod variable;
mod words;

pub(crate) use outcome::Outcome;
