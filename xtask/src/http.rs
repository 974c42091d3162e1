//! Asking servers on this machine over HTTP, with JSON.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use serde_json::value::RawValue;
use ureq::http::Request;
use ureq::{Agent, Body};

/// Longer than Vexilla waits for a Flagr that is silent, so that its own limit is what is seen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What an answer may hold; the export of the conformance flags has a tenth of it.
const MAX_BYTES: u64 = 64 << 20;

/// A server, and who we are to it.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    agent: Agent,
    base: String,
    authorization: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) source: Option<String>,
    pub(crate) body: String,
    what: String,
}

impl Http {
    /// The server at this address: `http://127.0.0.1:18000/prefix`.
    pub(crate) fn new(base: impl Into<String>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        let base: String = base.into();
        let base = base.trim_end_matches('/').to_owned();
        Self { agent: config.into(), base, authorization: None }
    }

    /// Sends this with each request.
    pub(crate) fn with_authorization(mut self, authorization: &str) -> Self {
        self.authorization = Some(authorization.to_owned());
        self
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, String::new())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send("POST", path, body.to_string())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send("PUT", path, body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Answer> {
        self.send("DELETE", path, String::new())
    }

    /// Posts a text as it is.
    pub(crate) fn post_raw(&self, path: &str, body: &RawValue) -> Result<Answer> {
        self.send("POST", path, body.get().to_owned())
    }

    fn send(&self, method: &str, path: &str, body: String) -> Result<Answer> {
        let what = format!("{method} {}{path}", self.base);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let response = if body.is_empty() {
            request.body(()).map_err(anyhow::Error::from).and_then(|it| Ok(self.agent.run(it)?))
        } else {
            let request = request.header("content-type", "application/json").body(body);
            request.map_err(anyhow::Error::from).and_then(|it| Ok(self.agent.run(it)?))
        };
        let (parts, mut body): (_, Body) =
            response.with_context(|| format!("{what} failed"))?.into_parts();
        let source = parts
            .headers
            .get("x-vexilla-source")
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned);
        let body = body
            .with_config()
            .limit(MAX_BYTES)
            .read_to_string()
            .with_context(|| format!("{what} gave no whole answer"))?;
        Ok(Answer { status: parts.status.as_u16(), source, body, what })
    }
}

impl Answer {
    /// Fails unless it is a success.
    pub(crate) fn ok(self) -> Result<Self> {
        ensure!(self.status == 200, "{} gave {}: {}", self.what, self.status, self.body.trim_end());
        Ok(self)
    }

    /// The body of a success.
    pub(crate) fn json(self) -> Result<Value> {
        let answer = self.ok()?;
        serde_json::from_str(&answer.body).with_context(|| format!("{} gave no JSON", answer.what))
    }
}
