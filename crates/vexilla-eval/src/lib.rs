//! Decides Flagr's feature flags exactly as Flagr does, in the process that asks.
//!
//! ```
//! use vexilla_eval::{Context, Ruleset};
//!
//! let export = br#"{"Flags":[{"ID":1,"Key":"checkout","Enabled":true,"Variants":[{"ID":1,"Key":"new"}],
//!     "Segments":[{"RolloutPercent":100,"Constraints":[{"Property":"country","Operator":"EQ","Value":"\"US\""}],
//!                  "Distributions":[{"VariantKey":"new","Percent":100}]}]}]}"#;
//! let rules = Ruleset::from_json(export)?.ruleset;
//! let ctx = Context::new("user-1").with("country", "US");
//! assert_eq!(rules.evaluate("checkout", &ctx).variant_key(), Some("new"));
//! # Ok::<(), vexilla_eval::JsonError>(())
//! ```
//!
//! A [`Ruleset`] is compiled once from what Flagr's `GET /api/v1/export/eval_cache/json` gives and then evaluated any
//! number of times: no lock, no clock, no I/O, no allocation. Two things cost more, and only where a flag has them:
//! a regular expression's engine keeps scratch memory for each thread that uses it, and a pattern that is itself read
//! from the context (`EREG` with a variable as its value) is compiled for the one evaluation.
//!
//! Where a limit of ours could change an answer, there is none: a condition or pattern beyond our limits puts its flag
//! in error, and is reported. The one exception is a pattern that the context brings, which is not applied when it is
//! longer than 256 bytes, since whoever sends a context must not be able to make an evaluation slow.
//!
//! Every step has its file: a constraint becomes text and that text a tree (`condition`), the tree a program
//! (`program`), a flag a table of ranges (`compile`, `rollout`); the walk is `evaluate`. [`Ruleset::explain`] runs the
//! same walk and says why. [`check()`] finds what Flagr would refuse.
//!
//! Why a grammar and not operators on values: Flagr pastes property and value into a text and parses that, so a value
//! can hold whole conditions. Treating it as a literal would be simpler and wrong.

mod anonymous;
pub mod bucket;
mod build;
mod check;
mod compile;
mod condition;
mod evaluate;
mod explain;
mod failure;
mod file_rules;
mod go_print;
mod gore;
mod log;
mod measure;
mod operand;
mod pattern;
mod program;
mod report;
mod rollout;
mod ruleset;
mod sets;

pub use anonymous::AnonymousId;
pub use build::{Bodies, Compilation, Definitions, Filtered, fingerprint};
pub use check::{check, check_constraint};
pub use compile::CompiledFlag;
pub use condition::{ConditionError, ConditionErrorKind, TextPosition};
pub use ruleset::Ruleset;
pub use vexilla_domain::json::JsonError;
pub use vexilla_domain::{
    ConstraintTrace, Context, Evaluation, EvaluationRef, Explanation, Flag, Level, Number, Object,
    Problem, RangeTrace, Reason, RolloutTrace, SegmentTrace, Strictness, Value, Verdict,
};
