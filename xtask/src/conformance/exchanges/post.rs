//! What a line of `post-errors.jsonl` holds.

use anyhow::{Result, bail};
use serde::{Deserialize, Deserializer, Serialize};

use super::Line;
use super::coding::{repeated, runs, unbase64};
use crate::conformance::same::{same, with_times_of};
use crate::conformance::style::Style;
use crate::conformance::wire::{Framing, Question, Reply};

/// `post-errors.jsonl`. What is long is kept in pieces, each with how often it comes.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::conformance) struct Post {
    name: String,
    path: String,
    content_type: Option<String>,
    // Three ways to say a body. That there is none is told by a null, which is not the same as no member.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    body: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_runs: Option<Vec<(String, usize)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    framing: Option<String>,
    status: u16,
    response_content_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_cut: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_runs: Option<Vec<(String, usize)>>,
}

/// A text, or none.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Text(Option<String>);

/// A member that is there, though it may be null.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(from).map(Some)
}

impl Line for Post {
    const STYLE: Style = Style::SpacedAscii;
    const BEFORE: usize = 0;

    fn question(&self) -> Result<Question<'_>> {
        let headers = self.content_type.iter().map(|it| ("content-type", it.as_str())).collect();
        let framing = match self.framing.as_deref() {
            None | Some("length") => Framing::Length,
            Some("chunked") => Framing::Chunked,
            Some("none") => Framing::None,
            Some(other) => bail!("no framing is called `{other}`"),
        };
        let path = self.path.clone();
        Ok(Question { method: "POST", path, headers, body: self.body()?, framing })
    }

    /// Where Flagr panicked, only its first line is kept: the rest is where in its code it was.
    fn take(&mut self, reply: &Reply) -> Result<bool> {
        let text = reply.text()?;
        let now_cut = text.starts_with("PANIC: ");
        let text = if now_cut { text.lines().next().unwrap_or_default() } else { text };
        let recorded = match (&self.response, &self.response_runs) {
            (Some(text), _) => text.clone(),
            (None, runs) => repeated(runs.as_deref().unwrap_or_default()),
        };
        let request = String::from_utf8_lossy(&self.body()?).into_owned();
        let now_type = reply.header("content-type");
        if self.status == reply.status
            && self.response_content_type == now_type
            && self.response_cut.unwrap_or_default() == now_cut
            && same(&recorded, text, &request)
        {
            return Ok(false);
        }
        self.status = reply.status;
        now_type.clone_into(&mut self.response_content_type);
        self.response_cut = now_cut.then_some(true);
        let text = with_times_of(&recorded, text);
        // What the request repeats is what its echo repeats.
        let repeats = self.body_runs.iter().flatten().filter(|it| 1 < it.1);
        let pieces: Vec<_> = repeats.map(|it| it.0.as_str()).collect();
        let runs = Some(runs(&text, &pieces)).filter(|it| 1 < it.len());
        self.response = runs.is_none().then_some(text);
        self.response_runs = runs;
        Ok(true)
    }
}

impl Post {
    fn body(&self) -> Result<Vec<u8>> {
        Ok(match (&self.body, &self.body_base64, &self.body_runs) {
            (Some(Text(text)), _, _) => text.clone().unwrap_or_default().into(),
            (_, Some(encoded), _) => unbase64(encoded)?,
            (_, _, Some(runs)) => repeated(runs).into(),
            (None, None, None) => Vec::new(),
        })
    }
}
