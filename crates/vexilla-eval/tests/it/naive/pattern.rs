//! Whether a pattern matches: asked of the crate, in a condition that holds nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;

use vexilla_eval::{Context, Ruleset, Verdict};

use super::bytes::Bytes;
use crate::conditions::flag_of;
use crate::rollouts::rules_of;

thread_local! {
    static KNOWN: RefCell<HashMap<Bytes, Ruleset>> = RefCell::default();
}

/// None for a pattern that Go rejects.
pub(crate) fn matches(pattern: &Bytes, text: &Bytes) -> Option<bool> {
    KNOWN.with_borrow_mut(|known| {
        if known.len() > 10_000 {
            known.clear();
        }
        let rules = known.entry(pattern.clone()).or_insert_with(|| compile(pattern));
        let ctx = Context::new("entity").with("text", text.readable());
        let explanation = rules.explain("flag", &ctx)?;
        match explanation.segments.first().map(|it| &it.verdict) {
            Some(Verdict::Matched) => Some(true),
            Some(Verdict::NotMatched) => Some(false),
            _ => None,
        }
    })
}

/// Each byte as an escape, and parentheses around: so nothing in the pattern means anything to the language.
fn compile(pattern: &Bytes) -> Ruleset {
    let mut value = "(\"".to_owned();
    for byte in &pattern.0 {
        write!(value, "\\x{byte:02x}").expect("a string takes all");
    }
    value.push_str("\")");
    rules_of(flag_of(&[("text".to_owned(), "EREG".to_owned(), value)]))
}
