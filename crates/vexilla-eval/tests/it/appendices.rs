//! The tables of the specification's appendices.

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::Strictness;
use vexilla_eval::{Context, Ruleset, check_constraint};

use crate::conditions::{flag_of as constrained, outcome};
use crate::recorded;
use crate::rollouts::{flag_of as rolled_out, rules_of};

type Constraint = (String, String, String);

#[derive(Deserialize)]
struct AppendixB {
    rejected: Vec<Constraint>,
    accepted: Vec<Constraint>,
    evaluations: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    p: String,
    o: String,
    v: String,
    #[serde(default)]
    and: Vec<Constraint>,
    ctx: Box<RawValue>,
    want: String,
}

#[test]
fn recorded_conditions_of_appendix_b() {
    let AppendixB { rejected, accepted, evaluations } =
        serde_json::from_str(&recorded("appendix-b.json")).unwrap();
    for (property, operator, value) in &rejected {
        assert!(
            check_constraint(property, operator, value).is_err(),
            "{property} {operator} {value}"
        );
    }
    for (property, operator, value) in &accepted {
        assert_eq!(
            check_constraint(property, operator, value),
            Ok(()),
            "{property} {operator} {value}"
        );
    }
    for Case { p, o, v, and, ctx, want } in evaluations {
        if want == "reject" {
            assert!(check_constraint(&p, &o, &v).is_err(), "{p} {o} {v}");
            continue;
        }
        let constraints: Vec<_> = std::iter::once((p, o, v)).chain(and).collect();
        let rules =
            Ruleset::compile(&[constrained(&constraints)], Vec::new(), Strictness::AsStored, None)
                .ruleset;
        let ours = match outcome(&rules, &ctx) {
            "match" => "true",
            "no match" => "false",
            other => other,
        };
        assert_eq!(ours, want, "{constraints:?} {ctx}");
    }
}

#[derive(Deserialize)]
struct AppendixA {
    salt: u64,
    entity: String,
    crc32: u32,
    bucket: u32,
    percents: Vec<u64>,
    rollout: u64,
    /// The row that is chosen, from 0.
    variant: Option<usize>,
}

#[test]
fn recorded_rollouts_of_appendix_a() {
    let rows: Vec<AppendixA> = serde_json::from_str(&recorded("appendix-a.json")).unwrap();
    assert_eq!(rows.len(), 52);
    for row in rows {
        assert_eq!(crc32fast::hash(format!("{}{}", row.salt, row.entity).as_bytes()), row.crc32);
        assert_eq!(row.crc32 % 1000, row.bucket);
        let shares: Vec<_> = (0..).map(|at| format!("v{at}")).zip(row.percents).collect();
        let rules = rules_of(rolled_out(row.salt, row.rollout, &shares));
        let ctx = Context::new(row.entity.as_str());
        let want = row.variant.map(|at| format!("v{at}"));
        assert_eq!(
            rules.evaluate("flag", &ctx).variant_key(),
            want.as_deref(),
            "{} {}",
            row.salt,
            row.entity
        );
        let explained = rules.explain("flag", &ctx).unwrap();
        assert_eq!(explained.bucket, Some(row.bucket));
        assert_eq!(explained.evaluation.variant_key(), want.as_deref());
    }
}
