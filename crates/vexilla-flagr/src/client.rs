//! The HTTP call: one `GET`, whole or not at all, within limits.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode, Url, redirect};
use tokio::time::timeout;
use vexilla_domain::SourceError;

use crate::auth::Credentials;
use crate::{ConfigError, FlagrConfig, error, tls};

/// Flagr's HTTP API at one address.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    credentials: Credentials,
    /// `http://flagr:18000`
    origin: String,
    /// `/prefix`, or empty.
    prefix: String,
}

/// How much of an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The longest time without a byte.
    pub(crate) idle: Duration,
    /// The longest time in all.
    pub(crate) total: Duration,
    /// The largest body, after decompression.
    pub(crate) max_bytes: usize,
}

/// What a path answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 200 with JSON, not parsed yet.
    Json(Vec<u8>),
    /// This server does not have this path, or not as a `GET`, or not in its mode: 404, 405, 501.
    Absent(StatusCode),
}

impl Client {
    pub(crate) fn new(config: FlagrConfig) -> Result<Self, ConfigError> {
        let url = config.check()?;
        let credentials = Credentials::new(config.auth)?;
        let tls = if url.scheme() == "https" { tls::with_system_roots() } else { tls::unused() };
        let tls = tls.map_err(|error| {
            ConfigError::new("url", url.as_str(), "needs TLS, which cannot be set up here")
                .with_source(error)
        })?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(config.connect_timeout)
            .user_agent(concat!("vexilla/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .gzip(true)
            .build()
            .map_err(|error| {
                ConfigError::new("url", url.as_str(), "gets no HTTP client").with_source(error)
            })?;
        let (origin, prefix) = split(&url);
        Ok(Self { http, credentials, origin, prefix })
    }

    /// The address, for people.
    pub(crate) fn address(&self) -> String {
        format!("{}{}", self.origin, self.prefix)
    }

    /// A path of Flagr's API with the prefix of this Flagr, as it stands in messages.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The error for an answer of another status than 200.
    pub(crate) fn refused(&self, path: &str, status: StatusCode) -> SourceError {
        error::refused(&self.path(path), status, self.credentials.given())
    }

    /// Asks for a path (`/api/v1/health`) and reads the whole answer.
    pub(crate) async fn get(&self, path: &str, limits: Limits) -> Result<Answer, SourceError> {
        match timeout(limits.total, self.exchange(path, limits)).await {
            Ok(answer) => answer,
            Err(_) => Err(error::too_slow(&self.path(path), limits.total)),
        }
    }

    async fn exchange(&self, path: &str, limits: Limits) -> Result<Answer, SourceError> {
        let full_path = self.path(path);
        let request =
            self.http.get(format!("{}{full_path}", self.origin)).header(ACCEPT, "application/json");
        let mut response = match timeout(limits.idle, self.credentials.apply(request).send()).await
        {
            Ok(sent) => sent.map_err(|it| error::no_answer(&full_path, it))?,
            Err(_) => return Err(error::stalled(&full_path, limits.idle)),
        };

        match response.status() {
            StatusCode::OK => {}
            absent @ (StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED) => {
                return Ok(Answer::Absent(absent));
            }
            refused => return Err(self.refused(path, refused)),
        }
        let content_type = response.headers().get(CONTENT_TYPE).map_or("", text);
        if !is_json(content_type) {
            return Err(error::not_json(&full_path, content_type));
        }
        body(&mut response, &full_path, limits).await.map(Answer::Json)
    }
}

async fn body(
    response: &mut Response,
    full_path: &str,
    limits: Limits,
) -> Result<Vec<u8>, SourceError> {
    let mut body = Vec::new();
    loop {
        let chunk = match timeout(limits.idle, response.chunk()).await {
            Ok(read) => read.map_err(|it| error::broken_off(full_path, body.len(), it))?,
            Err(_) => return Err(error::stalled(full_path, limits.idle)),
        };
        let Some(chunk) = chunk else { return Ok(body) };
        // Counted piece by piece: a small compressed body may unpack to gigabytes.
        if limits.max_bytes - body.len() < chunk.len() {
            return Err(error::too_large(full_path, limits.max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("unreadable text")
}

/// `application/json`, whatever parameters follow.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// `http://flagr:18000/prefix/` as `http://flagr:18000` and `/prefix`.
fn split(url: &Url) -> (String, String) {
    let prefix = url.path().trim_end_matches('/');
    (url.origin().ascii_serialization(), prefix.to_owned())
}
