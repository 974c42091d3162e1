//! Flags that do not change.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::integ::answers::comparable;
use crate::integ::flagr::Rest;
use crate::integ::stage::{Stage, given, question};

pub(super) fn load(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (simple, split) = (stage.key("simple"), stage.key("split"));
    flagr.rest().simple(&simple)?;
    flagr.rest().split(&split)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &simple, Some("on"))?;

    let entity = |number: usize, key: &str| {
        let country = if number.is_multiple_of(2) { "US" } else { "FR" };
        let context = json!({ "country": country });
        json!({ "flagKey": key, "entityID": format!("user-{number}"), "entityContext": context })
    };
    let mut questions: Vec<Value> = (0..200).map(|it| entity(it, &split)).collect();
    questions.push(entity(0, &stage.key("unknown")));
    questions.push(json!({
        "entities": (0..20).map(|it| entity(it, "")).map(without_key).collect::<Vec<_>>(),
        "flagKeys": [split, simple, stage.key("unknown")],
    }));
    let answers = stage.until_they_agree(&vexilla, &flagr, &questions)?;
    for variant in [Some("a"), Some("b"), None] {
        let some = answers.iter().take(200).any(|it| given(it, variant).is_ok());
        ensure!(some, "nobody of 200 got {variant:?}, so the comparison says little");
    }
    Ok(())
}

fn without_key(mut question: Value) -> Value {
    if let Some(members) = question.as_object_mut() {
        members.remove("flagKey");
    }
    question
}

pub(super) fn commands(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let key = stage.key("split");
    let id = flagr.rest().split(&key)?;
    stage.until_newest(&flagr, id, &key)?;
    let vexilla = stage.vexilla(&flagr)?;
    let asked = question(&key, "user-1");
    let agreed = || stage.agree(&vexilla, &flagr, &asked);
    let expected = stage.interrupt.until("agreement", agreed)?;

    let url = flagr.http.base();
    let who = [&key, "--entity-id", "user-1", "--set", "country=US", "--format", "json"];
    let ran = stage.run(&[&["eval", "--flagr", url], &who[..]].concat())?;
    let answer: Value = serde_json::from_slice(&ran.stdout).context("`eval` gave no JSON")?;
    let answer = comparable(answer, true);
    for member in ["flagID", "flagKey", "variantID", "variantKey", "variantAttachment"] {
        let (ours, theirs) = (answer.get(member), expected.get(member));
        ensure!(ours == theirs, "`eval` says {member} {ours:?}, Flagr {theirs:?}");
    }

    let ran = stage.run(&["export", "--flagr", url, "--output", "flags.json"])?;
    ensure!(ran.status.success(), "`export`: {}", String::from_utf8_lossy(&ran.stderr));
    let ran = stage.run(&["check", "flags.json"])?;
    ensure!(ran.status.success(), "`check`: {}", String::from_utf8_lossy(&ran.stdout));
    let from_file = stage.run(&[&["eval", "--flags", "flags.json"], &who[..]].concat())?;
    let from_file: Value = serde_json::from_slice(&from_file.stdout).context("no JSON")?;
    ensure!(comparable(from_file, true) == answer, "the exported flags decide otherwise");
    Ok(())
}

/// Each operator, and each form of a property.
const CONSTRAINTS: [[&str; 3]; 14] = [
    ["country", "EQ", r#""US""#],
    ["country", "NEQ", r#""US""#],
    ["age", "LT", "18"],
    ["age", "LTE", "18.5"],
    ["user.age", "GT", "65"],
    ["user.age", "GTE", "1e2"],
    ["email", "EREG", r#""^[a-z]+@corp\\.example$""#],
    ["email", "NEREG", r#""@(test|dev)\\.""#],
    ["user.plan", "IN", r#"["pro","team"]"#],
    ["tier", "NOTIN", r#"["free","trial"]"#],
    ["roles", "CONTAINS", r#""admin""#],
    ["ids", "NOTCONTAINS", "7"],
    ["scores[0]", "GTE", "1"],
    ["is-beta", "EQ", "true"],
];

/// Rollout and share of the first variant of the flags in turn.
const ROLLOUTS: [(u8, u8); 6] = [(100, 50), (100, 100), (50, 50), (1, 99), (33, 0), (0, 100)];

pub(super) fn verify(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let mut newest = String::new();
    for (number, (constraint, rollout)) in
        CONSTRAINTS.into_iter().zip(ROLLOUTS.into_iter().cycle()).enumerate()
    {
        newest = stage.key(&format!("verify-{number}"));
        constrained(flagr.rest(), &newest, constraint, rollout)?;
    }
    // Flagr evaluates what it was told some time later.
    stage.interrupt.until("newest flag", || {
        let answer = flagr.http.post("/api/v1/evaluation", &question(&newest, "user-1"))?.json()?;
        ensure!(answer.get("flagID").is_some_and(|it| it.as_i64() > Some(0)), "it is not there");
        Ok(())
    })?;
    let cases = ["verify", "--flagr", flagr.http.base(), "--cases", "20000", "--rate", "0"];
    let ran = stage.run(&cases)?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(ran.status.success(), "{}: {said}{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    ensure!(said.trim_end().ends_with(" 0 without an answer, 0 different"), "it says {said}");
    Ok(())
}

/// An enabled flag with this constraint, of which those it does not take in get half of the rest.
fn constrained(
    rest: Rest<'_>,
    key: &str,
    constraint: [&str; 3],
    (rollout, share): (u8, u8),
) -> Result<()> {
    let id = rest.flag(key)?;
    let (a, b) = (rest.variant(id, "a")?, rest.variant(id, "b")?);
    let first = rest.segment(id, rollout)?;
    rest.constraint(id, first, constraint)?;
    rest.distribute(id, first, &[(a, "a", share), (b, "b", 100 - share)])?;
    let last = rest.segment(id, 50)?;
    rest.distribute(id, last, &[(b, "b", 100)])?;
    rest.enable(id, true)
}
