//! The plain interpreter against what a real Flagr said: the recordings are the authority for both.

use serde::Deserialize;
use serde_json::value::RawValue;
use vexilla_domain::{Flag, SegmentId};

use super::flag::{outcome, roll_out};
use super::{parse, source};
use crate::conditions::flag_of;
use crate::rollouts::flag_of as rolled_out;
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

/// Whether Flagr takes each constraint by itself, as when it is written.
fn accepts(flag: &Flag) -> bool {
    flag.segments[0]
        .constraints
        .iter()
        .all(|it| source::constraint(it).is_some_and(|text| parse::parse(&text).is_some()))
}

fn check(file: &str) {
    let mut wrong = Vec::new();
    for line in recorded(file).lines() {
        let Line { constraints, accepted, cases } = serde_json::from_str(line).unwrap();
        let flag = flag_of(&constraints);
        if accepts(&flag) != accepted {
            wrong.push(format!("{constraints:?}: Flagr {accepted}"));
        }
        for Case { context: attributes, outcome: theirs } in cases {
            let ours = outcome(&flag.segments[0], &context("entity", &attributes)).word();
            if ours != theirs {
                wrong
                    .push(format!("{constraints:?} for {attributes}: Flagr {theirs}, here {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn random_constraints() {
    check("conditions.jsonl");
}

#[test]
fn directed_constraints() {
    check("directed.jsonl");
}

#[derive(Deserialize)]
struct AppendixB {
    rejected: Vec<(String, String, String)>,
    accepted: Vec<(String, String, String)>,
}

#[test]
fn appendix_b_acceptance() {
    let AppendixB { rejected, accepted } =
        serde_json::from_str(&recorded("appendix-b.json")).unwrap();
    for (constraints, want) in [(rejected, false), (accepted, true)] {
        for constraint in constraints {
            assert_eq!(
                accepts(&flag_of(std::slice::from_ref(&constraint))),
                want,
                "{constraint:?}"
            );
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    #[serde(rename = "flagID")]
    flag_id: u64,
    rollout_percent: u64,
    distributions: Vec<(String, u64)>,
    entities: Vec<(String, Option<String>)>,
}

#[test]
fn rollouts() {
    for line in recorded("rollouts.jsonl").lines() {
        let mut line: Recorded = serde_json::from_str(line).unwrap();
        line.distributions
            .sort_by_key(|(key, _)| key.trim_start_matches('v').parse::<u32>().unwrap());
        let flag = rolled_out(line.flag_id, line.rollout_percent, &line.distributions);
        assert_eq!(flag.segments[0].id, SegmentId(1));
        for (entity, want) in line.entities {
            let variant = roll_out(line.flag_id, &flag.segments[0], &entity);
            let key = variant
                .and_then(|id| flag.variants.iter().find(|it| it.id.0 == id))
                .map(|it| it.key.to_string());
            assert_eq!(key, want, "{} {} {entity}", line.flag_id, line.rollout_percent);
        }
    }
}
