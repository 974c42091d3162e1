//! Reads: `GET` requests, sent again where that may help.

use reqwest::{Method, StatusCode};
use tokio::time::{Instant, sleep, timeout};
use vexilla_domain::{SourceError, SourceErrorKind};

use crate::client::{Client, Query};
use crate::declined::Declined;
use crate::error;
use crate::exchange::{self, Limits};
use crate::retry::{Retries, asked_pause};

/// As much of the body of a refusal as is read.
const MAX_DECLINED: usize = 1 << 10;

/// What a path answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 200 with JSON, not parsed yet.
    Json(Vec<u8>),
    /// A no that will not change.
    Declined(Declined),
}

/// Why one attempt failed, and how long the server asks to be left alone.
struct Failed {
    error: SourceError,
    asked_pause: Option<std::time::Duration>,
}

impl<E: Into<SourceError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), asked_pause: None }
    }
}

impl Client {
    /// Asks for a path (`/api/v1/health`) and reads the whole answer. All attempts share the time of the limits.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: Query<'_>,
        limits: Limits,
        retries: Retries,
    ) -> Result<Answer, SourceError> {
        let call = self.call(&Method::GET, path);
        match timeout(limits.total, self.attempts(&call, (path, query), limits, retries)).await {
            Ok(answer) => answer,
            Err(_) => Err(error::too_slow(&call, limits.total).into()),
        }
    }

    async fn attempts(
        &self,
        call: &str,
        target: (&str, Query<'_>),
        limits: Limits,
        retries: Retries,
    ) -> Result<Answer, SourceError> {
        let started = Instant::now();
        let mut sent = 0;
        loop {
            let failed = match self.attempt(call, target, limits).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            sent += 1;
            if failed.error.kind() != SourceErrorKind::Unavailable {
                return Err(failed.error);
            }
            // A pause that outlasts the call would only delay the news.
            let Some(pause) = retries
                .pause_after(sent, failed.asked_pause)
                .filter(|pause| started.elapsed().saturating_add(*pause) < limits.total)
            else {
                return Err(failed.error);
            };
            tracing::debug!(error = %failed.error, ?pause, "asking Flagr again");
            sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        call: &str,
        (path, query): (&str, Query<'_>),
        limits: Limits,
    ) -> Result<Answer, Failed> {
        let request = self.request(Method::GET, path, query);
        let response = exchange::send(call, request, limits).await?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Json(exchange::json(call, response, limits).await?)),
            status if Declined::by(status) => {
                let limits = Limits { max_bytes: MAX_DECLINED, ..limits };
                let body = exchange::beginning(call, response, limits).await?;
                Ok(Answer::Declined(Declined { status, body }))
            }
            refused => Err(Failed {
                error: self.refused(path, refused),
                asked_pause: asked_pause(response.headers()),
            }),
        }
    }
}
