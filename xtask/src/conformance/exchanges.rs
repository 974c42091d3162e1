//! Files of HTTP exchanges, a line each: every request is sent again, and what Flagr says now is written down.

mod coding;
mod lines;
mod post;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::record::{read, write};
use super::style::Style;
use super::wire::{Question, Reply, ask};
use crate::wait::Interrupt;
pub(super) use lines::{Accept, Exposures, Query};
pub(super) use post::Post;

/// A line that holds a request and its answer.
pub(super) trait Line: DeserializeOwned + Serialize {
    const STYLE: Style;
    /// How many lines before the first one hold the flags that are asked about.
    const BEFORE: usize;

    fn question(&self) -> Result<Question<'_>>;
    /// Takes an answer, and says whether it is another than before.
    fn take(&mut self, reply: &Reply) -> Result<bool>;
}

/// Asks again what a file asks. Nothing is written unless all of it was answered.
pub(super) fn record<L: Line>(base: &str, name: &str, interrupt: &Interrupt) -> Result<()> {
    let text = read(name)?;
    let (mut recorded, mut changed, mut all) = (String::new(), 0, 0);
    for (index, line) in text.lines().enumerate() {
        ensure!(!interrupt.is_told(), "interrupted");
        let mut now = None;
        if L::BEFORE <= index {
            all += 1;
            now = again::<L>(base, line).with_context(|| format!("{name}, line {}", index + 1))?;
            changed += usize::from(now.is_some());
        }
        recorded.push_str(now.as_deref().unwrap_or(line));
        recorded.push('\n');
    }
    println!("{name}: {changed} of {all} requests have another answer");
    if changed > 0 { write(name, &recorded) } else { Ok(()) }
}

/// The flags that `accept.jsonl` is about: the answer to one of its requests.
pub(super) fn accepts_export() -> Result<String> {
    let text = read("accept.jsonl")?;
    let lines = text.lines().map(serde_json::from_str::<Accept>);
    let lines: Vec<_> = lines.collect::<Result<_, _>>().context("cannot read accept.jsonl")?;
    lines.into_iter().find_map(Accept::into_export).context("no export in accept.jsonl")
}

/// The flags that `exposures.jsonl` is about, of its first line.
pub(super) fn exposures_export() -> Result<String> {
    #[derive(Deserialize)]
    struct First {
        export: String,
    }

    let text = read("exposures.jsonl")?;
    let first: First = serde_json::from_str(text.lines().next().unwrap_or_default())
        .context("exposures.jsonl does not begin with its flags")?;
    Ok(first.export)
}

/// The line with the new answer, where that is another one.
fn again<L: Line>(base: &str, text: &str) -> Result<Option<String>> {
    let mut line: L = serde_json::from_str(text).context("cannot read it")?;
    let reply = ask(base, &line.question()?)?;
    if line.take(&reply)? { L::STYLE.write(&line).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests;
