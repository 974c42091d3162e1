//! The condition language. Input: operator, property, value and context, separated by NUL bytes; in place of the
//! operator's name its number does as well.
//!
//! The compiled form agrees with the plain interpreter on whether the constraint is taken and on what it comes to; the
//! silent and the explaining walk agree; an error points into the text.

use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{Context, Strictness};
use vexilla_eval::{ConditionErrorKind, Ruleset, Verdict, check_constraint};

use crate::conditions::flag_of;
use crate::naive::{Outcome, flag, parse, source};

const OPERATORS: [&str; 12] = [
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "EREG",
    "NEREG",
    "IN",
    "NOTIN",
    "CONTAINS",
    "NOTCONTAINS",
];

/// Longer patterns out of a context are not applied here, as documented.
const MAX_DYNAMIC_PATTERN: usize = 256;

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some([operator, property, value, context]) = crate::parts(input) else { return };
    let by_number = operator.bytes().next().and_then(|it| OPERATORS.get(usize::from(it) % 16));
    let operator =
        if OPERATORS.contains(&operator) { operator } else { by_number.unwrap_or(&operator) };

    let flag = flag_of(&[(property.to_owned(), operator.to_owned(), value.to_owned())]);
    let constraint = &flag.segments[0].constraints[0];
    let text = source::constraint(constraint);
    let ours = check_constraint(property, operator, value);
    if let Err(error) = &ours {
        if let (Some(position), Some(text)) = (error.position(), &text) {
            assert!(text.is_char_boundary(position.offset), "{error}: {position:?} in {text:?}");
        }
        if matches!(error.kind(), ConditionErrorKind::TooLong | ConditionErrorKind::TooDeep) {
            return;
        }
    }
    let plain = text.as_deref().is_some_and(|text| parse::parse(text).is_some());
    assert_eq!(ours.is_ok(), plain, "{text:?}: {ours:?}");

    let compilation =
        Ruleset::compile(std::slice::from_ref(&flag), Vec::new(), Strictness::AsStored, None);
    let limited = compilation.problems.iter().any(|it| it.message.starts_with("regex pattern"));
    let rules = compilation.ruleset;
    assert_eq!(
        rules.find("flag").unwrap().is_broken(),
        !plain || limited,
        "{:?}",
        compilation.problems
    );
    let Ok(raw) = serde_json::from_str::<&RawValue>(context) else { return };
    if !plain || limited || context.len() > MAX_DYNAMIC_PATTERN {
        return;
    }
    let Ok(attributes) = read_value(raw, Numbers::AsWritten) else { return };
    let ctx = Context::new("entity").with_attributes(Some(attributes));
    let explanation = rules.explain("flag", &ctx).unwrap();
    assert_eq!(rules.evaluate("flag", &ctx).to_owned(), explanation.evaluation);
    let outcome = match &explanation.segments[0].verdict {
        Verdict::Matched => Outcome::Match,
        Verdict::NotMatched => Outcome::NoMatch,
        Verdict::Failed(_) => Outcome::Error,
        Verdict::NoContext => Outcome::NoContext,
    };
    assert_eq!(outcome, flag::outcome(&flag.segments[0], &ctx), "{text:?} for {context}");
}
