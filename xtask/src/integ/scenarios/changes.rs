//! Flags that change, and how that arrives.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::integ::stage::{Stage, given, question};
use crate::integ::vexilla::Vexilla;
use crate::integ::{flagr::Flagr, settings_of_vexilla};

pub(super) fn by_poll(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let vexilla = stage.vexilla(&flagr)?;
    for variant in ["on", "off", "on"] {
        flagr.rest().give(&flag, variant)?;
        stage.until_both_give(&vexilla, &flagr, &key, Some(variant))?;
    }
    Ok(())
}

pub(super) fn new_flag(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    flagr.rest().simple(&stage.key("flag"))?;
    let vexilla = stage.vexilla(&flagr)?;
    let later = stage.key("later");
    stage.until_both_give(&vexilla, &flagr, &later, None)?;
    flagr.rest().simple(&later)?;
    stage.until_both_give(&vexilla, &flagr, &later, Some("on"))
}

pub(super) fn delete(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (key, other) = (stage.key("flag"), stage.key("other"));
    let flag = flagr.rest().simple(&key)?;
    flagr.rest().simple(&other)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    flagr.rest().delete(flag.id)?;
    stage.until_both_give(&vexilla, &flagr, &key, None)?;
    stage.until_both_give(&vexilla, &flagr, &other, Some("on"))
}

pub(super) fn rename(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (old, new) = (stage.key("old"), stage.key("new"));
    let flag = flagr.rest().simple(&old)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &old, Some("on"))?;
    flagr.rest().change(flag.id, &json!({ "key": new, "description": "renamed" }))?;
    stage.until_both_give(&vexilla, &flagr, &new, Some("on"))?;
    stage.until_both_give(&vexilla, &flagr, &old, None)
}

pub(super) fn disabled(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let vexilla = stage.vexilla(&flagr)?;
    for enabled in [true, false, true] {
        flagr.rest().enable(flag.id, enabled)?;
        stage.until_both_give(&vexilla, &flagr, &key, enabled.then_some("on"))?;
    }
    Ok(())
}

pub(super) fn tags(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (red, blue) = (stage.key("red"), stage.key("blue"));
    let first = flagr.rest().simple(&stage.key("first"))?;
    let second = flagr.rest().simple(&stage.key("second"))?;
    flagr.rest().tag(first.id, &red)?;
    flagr.rest().tag(second.id, &red)?;
    let tag = flagr.rest().tag(second.id, &blue)?;
    let vexilla = stage.vexilla(&flagr)?;

    let tags = [red.as_str(), blue.as_str()];
    found(stage, &vexilla, &flagr, (&tags, "ANY"), 2)?;
    found(stage, &vexilla, &flagr, (&tags, "ALL"), 1)?;
    flagr.rest().untag(second.id, tag)?;
    found(stage, &vexilla, &flagr, (&tags, "ALL"), 0)?;
    found(stage, &vexilla, &flagr, (&tags, "ANY"), 2)
}

/// Waits until both find that many flags by these tags.
fn found(
    stage: &Stage<'_>,
    vexilla: &Vexilla,
    flagr: &Flagr,
    (tags, operator): (&[&str], &str),
    expected: usize,
) -> Result<()> {
    let entities = json!([{ "entityID": "somebody", "entityContext": {} }]);
    let question = json!({ "entities": entities, "flagTags": tags, "flagTagsOperator": operator });
    stage.interrupt.until("agreement", || {
        let answer = stage.agree(vexilla, flagr, &question)?;
        let results = answer.get("evaluationResults").and_then(Value::as_array);
        let results = results.context("no results")?;
        let all_given = results.iter().all(|it| given(it, Some("on")).is_ok());
        ensure!(results.len() == expected && all_given, "{operator} finds {answer}");
        Ok(())
    })
}

pub(super) fn filters(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (wanted, other) = (stage.key("wanted"), stage.key("other"));
    let tag = stage.key("tag");
    let flag = flagr.rest().simple(&wanted)?;
    let unwanted = flagr.rest().simple(&other)?;
    flagr.rest().tag(flag.id, &tag)?;
    let vexilla = stage.vexilla_with(&flagr, &[], &settings_of_vexilla::only_tag(&tag))?;
    stage.until_both_give(&vexilla, &flagr, &wanted, Some("on"))?;
    given(&stage.ours(&vexilla, &other, "somebody")?, None)?;

    flagr.rest().tag(unwanted.id, &tag)?;
    stage.until_both_give(&vexilla, &flagr, &other, Some("on"))?;
    let questions = [question(&wanted, "somebody")];
    stage.until_they_agree(&vexilla, &flagr, &questions).map(drop)
}
