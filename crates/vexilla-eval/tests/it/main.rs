//! What the crate promises, checked from outside: Flagr's recorded answers, and rules that hold for all input.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod appendices;
mod conditions;
mod evaluations;
mod naive;
mod rollouts;
mod rules;
mod ruleset;

use std::path::PathBuf;

use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value};
use vexilla_eval::{Context, Value};

/// The text of a file of recorded answers.
fn recorded(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A context with these attributes, numbers as written.
fn context(entity_id: &str, attributes: &RawValue) -> Context {
    let value = read_value(attributes, Numbers::AsWritten).expect("a recorded context");
    Context::new(entity_id).with_attributes((value != Value::Null).then_some(value))
}
