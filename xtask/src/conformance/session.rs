//! `recordings/flagr-http.json`: one session with a Flagr whose database is new, each request after the one before.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fresh::Fresh;
use super::record::{read, write};
use super::same::{same, sorted, with_times_of};
use super::style::Style;
use super::wire::{Framing, Question, Reply, ask};
use crate::wait::Interrupt;

const NAME: &str = "recordings/flagr-http.json";

/// What is kept of the headers of an answer.
const KEPT: [&str; 5] =
    ["access-control-allow-origin", "allow", "content-encoding", "content-type", "vary"];

/// The file, in the order of its members.
#[derive(Debug, Deserialize, Serialize)]
struct Session {
    exchanges: Vec<Exchange>,
    /// Sent by Flagr, not asked for, so they stay as they are.
    webhooks: Box<RawValue>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Exchange {
    name: String,
    request: Box<RawValue>,
    response: Response,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq, Clone)]
struct Response {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

pub(super) fn record(base: &str, fresh: &Fresh<'_>, interrupt: &Interrupt) -> Result<()> {
    let mut session: Session =
        serde_json::from_str(&read(NAME)?).with_context(|| format!("cannot read {NAME}"))?;
    let (mut changed, mut is_settled) = (0, false);
    for Exchange { name, request, response } in &mut session.exchanges {
        ensure!(!interrupt.is_told(), "interrupted");
        let request: Request = serde_json::from_str(request.get())?;
        if request.asks_the_cache() && !is_settled {
            fresh.settle()?;
            is_settled = true;
        }
        is_settled &= !request.writes();
        let reply = ask(base, &request.question()).with_context(|| format!("{NAME}, {name}"))?;
        changed += usize::from(response.take(&reply, request.body.as_deref())?);
    }
    println!("{NAME}: {changed} of {} requests have another answer", session.exchanges.len());
    if changed > 0 { write(NAME, &Style::Indented.write(&session)?) } else { Ok(()) }
}

impl Request {
    fn question(&self) -> Question<'_> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = self.body.clone().map(String::into_bytes);
        let framing = if body.is_some() { Framing::Length } else { Framing::None };
        Question {
            method: &self.method,
            path: self.path.clone(),
            headers: headers.collect(),
            body: body.unwrap_or_default(),
            framing,
        }
    }

    /// Whether it is answered of what evaluations know, which is read from the database every few seconds.
    fn asks_the_cache(&self) -> bool {
        ["/api/v1/evaluation", "/api/v1/export", "/api/v1/exposures"]
            .iter()
            .any(|it| self.path.starts_with(it))
    }

    fn writes(&self) -> bool {
        self.path.starts_with("/api/v1/flags") && !["GET", "HEAD"].contains(&&*self.method)
    }
}

impl Response {
    /// Takes an answer, and says whether it is another than before.
    fn take(&mut self, reply: &Reply, request: Option<&str>) -> Result<bool> {
        let kept = |(name, value): (&String, &String)| {
            KEPT.contains(&name.as_str()).then(|| (name.clone(), value.clone()))
        };
        let mut headers: BTreeMap<_, _> = reply.headers.iter().filter_map(kept).collect();
        // Packed anew each time and with other moments in it, of which no byte would be the same.
        let is_packed = headers.get("content-encoding").is_some_and(|it| it == "gzip");
        let length = reply.body.len();
        let body =
            if is_packed { format!("<{length} bytes of gzip>") } else { reply.text()?.to_owned() };
        let same_body = (is_packed && self.body.ends_with(" bytes of gzip>"))
            || same(&self.body, &body, request.unwrap_or_default());
        if let (Some(now), Some(before)) = (headers.get_mut("allow"), self.headers.get("allow"))
            && sorted(now) == sorted(before)
        {
            now.clone_from(before);
        }
        if self.status == reply.status && self.headers == headers && same_body {
            return Ok(false);
        }
        let body = if same_body { self.body.clone() } else { with_times_of(&self.body, &body) };
        *self = Self { status: reply.status, headers, body };
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
