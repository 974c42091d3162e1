//! `vexilla eval`: one evaluation, as Flagr would answer it or in a few lines.

use std::fmt::Write;
use std::process::ExitCode;

use vexilla::{Client, SystemClock};
use vexilla_domain::{Answer, Clock, Debug, Engine, FlagRef};
use vexilla_server::wire::{Asked, evaluation_body};

use crate::args::{EvalArgs, Format};
use crate::decide::{decided_by, errors, flag, object_text, reason, rules, variant};
use crate::error::CommandError;
use crate::output::print;
use crate::settings::Settings;

pub(crate) async fn run(args: EvalArgs, settings: &Settings) -> Result<ExitCode, CommandError> {
    let EvalArgs { question, rollouts, debug } = args;
    let context = question.context()?;
    let client = question.start(rollouts, settings).await?;

    let debug = if debug { Debug::On } else { Debug::Off };
    let asked = Asked { flag: FlagRef { id: 0, key: &question.flag }, debug, ..Asked::default() };
    let answer = Engine::evaluate(&client, asked.flag, &context, asked.debug).await;
    match question.format {
        Format::Json => print(evaluation_body(&asked, &context, &answer, SystemClock.now()))?,
        Format::Text => print(text(&question.flag, &answer, &client))?,
    }
    client.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn text(asked: &str, answer: &Answer, client: &Client) -> String {
    let evaluation = &answer.evaluation;
    let mut lines = vec![("flag", flag(evaluation, asked)), ("variant", variant(evaluation))];
    if let Some(attachment) = evaluation.attachment() {
        lines.push(("attachment", object_text(attachment)));
    }
    if evaluation.segment_id.0 != 0 {
        lines.push(("segment", evaluation.segment_id.to_string()));
    }
    lines.push(("reason", reason(evaluation.reason)));
    lines.push(("decided by", decided_by(evaluation.source).to_owned()));
    lines.extend(errors(client, evaluation).into_iter().map(|error| ("error", error)));
    lines.push(("rules", rules(&client.stats())));
    for segment in answer.log.segments.iter().flatten() {
        lines.push(("debug", format!("segment {}: {}", segment.segment_id, segment.message)));
    }

    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<10}  {value}"); // writing to memory does not fail
    }
    text
}
