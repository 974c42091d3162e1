//! Regular expressions. Input: pattern and text, separated by a NUL byte.
//!
//! `EREG` and `NEREG` of one pattern are errors together and otherwise opposite; a group around a pattern and a pattern
//! beside itself change nothing; a pattern quoted by `\Q…\E` matches where its text is found.

use std::fmt::Write as _;

use vexilla_domain::Strictness;
use vexilla_eval::{Context, Ruleset, Verdict};

use crate::conditions::flag_of;

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some([pattern, text]) = crate::parts(input) else { return };
    let outcome = search("EREG", pattern, text);
    let negated = search("NEREG", pattern, text);
    assert_eq!(negated, outcome.map(|it| it.map(|it| !it)), "{pattern:?} on {text:?}");
    if !pattern.contains("\\E") {
        let quoted = search("EREG", &format!("\\Q{pattern}\\E"), text);
        assert!(
            quoted.is_none_or(|it| it == Some(text.contains(pattern))),
            "{pattern:?} in {text:?}: {quoted:?}"
        );
    }
    // `\Q` may do without its end, and a `)` behind it is text; for `[:` Go looks for a `:]` through all the rest.
    if let Some(Some(is_match)) = outcome
        && !pattern.contains("\\Q")
        && !pattern.contains("[:")
    {
        for same in [format!("(?:{pattern})"), format!("(?:{pattern})|(?:{pattern})")] {
            let outcome = search("EREG", &same, text);
            assert!(
                outcome.is_none_or(|it| it == Some(is_match)),
                "{same:?} on {text:?}: {outcome:?}"
            );
        }
    }
}

/// Whether the text holds a match; an error where Go rejects the pattern; nothing where a limit of ours stands before.
fn search(operator: &str, pattern: &str, text: &str) -> Option<Option<bool>> {
    // Escapes keep the language out of it, and so do the parentheses.
    let mut value = "(\"".to_owned();
    for byte in pattern.bytes() {
        write!(value, "\\x{byte:02x}").expect("a string takes all");
    }
    value.push_str("\")");
    let flag = flag_of(&[("text".to_owned(), operator.to_owned(), value)]);
    let rules = Ruleset::compile(&[flag], Vec::new(), Strictness::AsStored, None).ruleset;
    let explanation = rules.explain("flag", &Context::new("entity").with("text", text)).unwrap();
    match explanation.segments.first().map(|it| &it.verdict) {
        None => None,
        Some(Verdict::Matched) => Some(Some(true)),
        Some(Verdict::NotMatched) => Some(Some(false)),
        Some(_) => Some(None),
    }
}
