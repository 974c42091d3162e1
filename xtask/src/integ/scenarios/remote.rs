//! What goes on to Flagr.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::Http;
use crate::integ::flagr::Start;
use crate::integ::stage::{Stage, given, question};

pub(super) fn rollouts(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let (simple, split) = (stage.key("simple"), stage.key("split"));
    flagr.rest().simple(&simple)?;
    flagr.rest().split(&split)?;
    let questions: Vec<_> = (0..50).map(|it| question(&split, &format!("user-{it}"))).collect();
    for (mode, source) in [("remote", "remote"), ("local", "local")] {
        let vexilla = stage.vexilla_with(&flagr, &["--rollouts", mode], &[])?;
        stage.until_both_give(&vexilla, &flagr, &simple, Some("on"))?;
        stage.until_they_agree(&vexilla, &flagr, &questions)?;
        let decided_by = |key: &str| -> Result<String> {
            let answer = vexilla.http.post("/api/v1/evaluation", &question(key, "somebody new"))?;
            answer.ok()?.source.context("no X-Vexilla-Source")
        };
        let (by, simple_by) = (decided_by(&split)?, decided_by(&simple)?);
        ensure!(by.eq_ignore_ascii_case(source), "{mode}: a split comes from {by}");
        ensure!(simple_by.eq_ignore_ascii_case("local"), "{mode}: a whole from {simple_by}");
    }
    Ok(())
}

pub(super) fn exposures(stage: &Stage<'_>) -> Result<()> {
    let settings = vec![("FLAGR_PROMETHEUS_ENABLED", "true".to_owned())];
    let flagr = stage.flagr_with(&Start { settings, ..Start::default() })?;
    let key = stage.key("flag");
    flagr.rest().simple(&key)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;

    let exposure = json!({ "flagKey": key, "variantKey": "on", "entityID": "somebody" });
    let answer =
        vexilla.http.post("/api/v1/exposures", &json!({ "exposures": [exposure] }))?.json()?;
    ensure!(answer.get("errors").is_none_or(Value::is_null), "refused: {answer}");

    let counts = "flagr_requests_total{";
    stage.interrupt.until("exposure in Flagr", || {
        let metrics = flagr.http.get("/metrics")?.ok()?.body;
        let arrived = metrics
            .lines()
            .any(|it| it.starts_with(counts) && it.contains("/exposures") && it.contains("200"));
        ensure!(arrived, "Flagr counted no request to /exposures");
        Ok(())
    })
}

/// Nothing here waits: who wrote through Vexilla is answered with what was written.
pub(super) fn pass_through(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr()?;
    let arguments = ["--pass-through", "--refresh-interval", "1h"];
    let vexilla = stage.vexilla_with(&flagr, &arguments, &[])?;
    let key = stage.key("flag");
    let through: &Http = &vexilla.http;
    let rest = flagr.rest().through(through);
    let flag = rest.simple(&key)?;
    given(&stage.ours(&vexilla, &key, "somebody")?, Some("on"))?;
    rest.give(&flag, "off")?;
    given(&stage.ours(&vexilla, &key, "somebody")?, Some("off"))?;
    rest.enable(flag.id, false)?;
    given(&stage.ours(&vexilla, &key, "somebody")?, None)
}
