//! What a line of three of the files holds.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Line;
use super::coding::escaped;
use crate::conformance::same::{same, with_times_of};
use crate::conformance::style::Style;
use crate::conformance::wire::{Framing, Question, Reply};

const JSON: &str = "application/json";

/// `accept.jsonl`.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::conformance) struct Accept {
    method: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(rename = "accept")]
    takes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    status: u16,
    response_content_type: String,
    response: String,
}

/// `exposures.jsonl`.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::conformance) struct Exposures {
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_as: Option<String>,
    status: u16,
    content_type: String,
    response: String,
}

/// `queries.jsonl`.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::conformance) struct Query {
    path: String,
    #[serde(rename = "query")]
    json: String,
    status: u16,
    response: String,
}

impl Accept {
    /// The answer, where it is an export.
    pub(super) fn into_export(self) -> Option<String> {
        self.response.starts_with("{\"Flags\"").then_some(self.response)
    }
}

/// The response that is recorded, its type and its status.
struct Recorded<'a> {
    status: &'a mut u16,
    content_type: Option<&'a mut String>,
    response: &'a mut String,
}

impl Recorded<'_> {
    fn take(self, reply: &Reply, request: &str) -> Result<bool> {
        let (text, now) = (reply.text()?, reply.header("content-type"));
        let same_type = self.content_type.as_ref().is_none_or(|it| **it == now);
        if *self.status == reply.status && same_type && same(self.response, text, request) {
            return Ok(false);
        }
        *self.status = reply.status;
        *self.response = with_times_of(self.response, text);
        if let Some(it) = self.content_type {
            now.clone_into(it);
        }
        Ok(true)
    }
}

impl Line for Accept {
    const STYLE: Style = Style::Compact;
    const BEFORE: usize = 0;

    fn question(&self) -> Result<Question<'_>> {
        let mut headers: Vec<_> = self.takes.iter().map(|it| ("accept", it.as_str())).collect();
        let (mut framing, mut body) = (Framing::None, Vec::new());
        if let Some(text) = &self.body {
            headers.push(("content-type", self.content_type.as_deref().unwrap_or(JSON)));
            (framing, body) = (Framing::Length, text.clone().into());
        }
        Ok(Question { method: &self.method, path: self.path.clone(), headers, body, framing })
    }

    fn take(&mut self, reply: &Reply) -> Result<bool> {
        let Self { status, response_content_type: content_type, response, body, .. } = self;
        let recorded = Recorded { status, content_type: Some(content_type), response };
        recorded.take(reply, body.as_deref().unwrap_or_default())
    }
}

impl Line for Exposures {
    const STYLE: Style = Style::SpacedAscii;
    const BEFORE: usize = 1;

    fn question(&self) -> Result<Question<'_>> {
        Ok(Question {
            method: "POST",
            path: "/api/v1/exposures".to_owned(),
            headers: vec![("content-type", self.sent_as.as_deref().unwrap_or(JSON))],
            body: self.body.clone().into(),
            framing: Framing::Length,
        })
    }

    fn take(&mut self, reply: &Reply) -> Result<bool> {
        let Self { status, content_type, response, body, .. } = self;
        Recorded { status, content_type: Some(content_type), response }.take(reply, body)
    }
}

impl Line for Query {
    const STYLE: Style = Style::Compact;
    const BEFORE: usize = 1;

    fn question(&self) -> Result<Question<'_>> {
        let path = format!("{}?json={}", self.path, escaped(&self.json));
        Ok(Question { method: "GET", path, ..Question::default() })
    }

    fn take(&mut self, reply: &Reply) -> Result<bool> {
        let Self { status, response, json, .. } = self;
        Recorded { status, content_type: None, response }.take(reply, json)
    }
}
