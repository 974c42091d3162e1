//! Every recorded constraint: whether Flagr accepts it, and what it comes to in each context.

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::{
    Constraint, Distribution, Flag, FlagId, Segment, SegmentId, Strictness, Variant, VariantId,
};
use vexilla_eval::{Ruleset, Verdict, check_constraint};

use crate::{context, recorded};

#[derive(Deserialize)]
struct Line {
    constraints: Vec<(String, String, String)>,
    accepted: bool,
    #[serde(default)]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    context: Box<RawValue>,
    outcome: String,
}

/// A flag with one segment of these constraints, everybody in.
pub(crate) fn flag_of(constraints: &[(String, String, String)]) -> Flag {
    let constraints = constraints.iter().map(|(property, operator, value)| Constraint {
        property: property.as_str().into(),
        operator: operator.as_str().into(),
        value: value.as_str().into(),
        ..Constraint::default()
    });
    let distribution = Distribution {
        variant_id: VariantId(1),
        variant_key: "on".into(),
        percent: 100,
        ..Distribution::default()
    };
    Flag {
        id: FlagId(1),
        key: "flag".into(),
        enabled: true,
        variants: vec![Variant { id: VariantId(1), key: "on".into(), ..Variant::default() }],
        segments: vec![Segment {
            id: SegmentId(1),
            rollout_percent: 100,
            constraints: constraints.collect(),
            distributions: vec![distribution],
            ..Segment::default()
        }],
        ..Flag::default()
    }
}

/// What the only segment of a flag comes to, in the words of the recordings.
pub(crate) fn outcome(rules: &Ruleset, attributes: &RawValue) -> &'static str {
    let ctx = context("entity", attributes);
    let explanation = rules.explain("flag", &ctx).expect("the flag");
    let silent = rules.evaluate("flag", &ctx);
    assert_eq!(
        silent.to_owned(),
        explanation.evaluation,
        "the silent and the explaining walk agree"
    );
    match &explanation.segments.first().expect("a segment").verdict {
        Verdict::Matched => "match",
        Verdict::NotMatched => "no match",
        Verdict::Failed(_) => "error",
        Verdict::NoContext => "no context",
    }
}

fn check(file: &str, expected: (usize, usize)) {
    let mut wrong = Vec::new();
    let mut count = (0, 0);
    for line in recorded(file).lines() {
        let Line { constraints, accepted, cases } = serde_json::from_str(line).unwrap();
        count.0 += 1;
        let (property, operator, value) = &constraints[0];
        let ours = check_constraint(property, operator, value);
        if ours.is_ok() != accepted {
            wrong.push(format!("{constraints:?}: Flagr {accepted}, here {ours:?}"));
        }
        if !accepted {
            continue;
        }
        let rules =
            Ruleset::compile(&[flag_of(&constraints)], Vec::new(), Strictness::AsStored, None)
                .ruleset;
        for Case { context, outcome: theirs } in cases {
            count.1 += 1;
            let ours = outcome(&rules, &context);
            if ours != theirs {
                wrong.push(format!("{constraints:?} for {context}: Flagr {theirs}, here {ours}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences, the first: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
    assert_eq!(count, expected, "constraints and outcomes");
}

#[test]
fn recorded_random_constraints_are_decided_as_flagr_does() {
    check("conditions.jsonl", (4_000, 13_499));
}

#[test]
fn recorded_directed_constraints_are_decided_as_flagr_does() {
    check("directed.jsonl", (716, 19_328));
}
