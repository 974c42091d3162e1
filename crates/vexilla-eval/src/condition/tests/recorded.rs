//! What a real Flagr accepted and refused.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use serde_json::{Value, value::RawValue};

use super::super::{ConditionError, Expr, constraint_text, parse, segment_text};

#[test]
fn recorded_answers() {
    for (file, count) in [("conditions.jsonl", 4000), ("directed.jsonl", 716)] {
        let lines = conformance(file);
        assert_eq!(lines.lines().count(), count, "{file}");
        for line in lines.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let constraints = record["constraints"].as_array().unwrap();
            let accepted = record["accepted"].as_bool().unwrap();
            let refused = constraints.iter().find_map(|it| alone(it).err());
            assert_eq!(refused.is_none(), accepted, "{constraints:?}: {refused:?}");
            if accepted {
                let all: Vec<_> = constraints.iter().map(parts).collect();
                parse(&segment_text(all).unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn collected_cases() {
    // Contexts in this file hold numbers that no `Value` can.
    let file = conformance("appendix-b.json");
    let cases: BTreeMap<&str, Vec<&RawValue>> = serde_json::from_str(&file).unwrap();
    for (list, accepted) in [("rejected", false), ("accepted", true)] {
        for case in &cases[list] {
            let constraint = serde_json::from_str(case.get()).unwrap();
            assert_eq!(alone(&constraint).is_ok(), accepted, "{case}");
        }
    }
}

/// Flagr's debug log shows the condition of each segment that did not match.
#[test]
fn logged_conditions() {
    let recorded: Value = serde_json::from_str(&conformance("flags.json")).unwrap();
    let flags = recorded["export"]["Flags"].as_array().unwrap();
    let segments = flags.iter().flat_map(|flag| flag["Segments"].as_array().unwrap());
    let printed: HashMap<u64, String> = segments
        .filter_map(|segment| {
            let constraints = segment["Constraints"].as_array()?;
            let part = |it: &'_ Value, name| it[name].as_str().unwrap().to_owned();
            let parts: Vec<_> = constraints
                .iter()
                .map(|it| (part(it, "Property"), part(it, "Operator"), part(it, "Value")))
                .collect();
            let parts = parts.iter().map(|(property, op, value)| (&**property, &**op, &**value));
            let expr = parse(&segment_text(parts).unwrap()).ok()?;
            Some((segment["ID"].as_u64().unwrap(), expr.to_string()))
        })
        .collect();
    let mut compared = 0;
    for evaluation in recorded["evaluations"].as_array().unwrap() {
        let logs = evaluation["response"]["evalDebugLog"]["segmentDebugLogs"].as_array();
        for log in logs.into_iter().flatten() {
            let message = log["msg"].as_str().unwrap();
            if let Some(rest) = message.strip_prefix("constraint not match. constraint: ") {
                let (condition, _) = rest.split_once(", entity_context: ").unwrap();
                assert_eq!(printed[&log["segmentID"].as_u64().unwrap()], condition);
                compared += 1;
            }
        }
    }
    assert!(compared >= 50, "{compared}");
}

fn alone(constraint: &Value) -> Result<Expr, ConditionError> {
    let (property, operator, value) = parts(constraint);
    parse(&constraint_text(property, operator, value)?)
}

fn parts(constraint: &Value) -> (&str, &str, &str) {
    let part = |at: usize| constraint[at].as_str().unwrap();
    (part(0), part(1), part(2))
}

fn conformance(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance").join(file))
        .unwrap()
}
