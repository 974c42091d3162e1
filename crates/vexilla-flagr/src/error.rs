//! What went wrong with a request, in words for an operator.
//!
//! Every message names the method and the path and never the host, a header or a body of ours: those may hold secrets. What
//! the server said stands apart from it, since that may repeat what it was asked.
//! `call` is the method and the path, `GET /api/v1/health`.

use std::time::Duration;

use reqwest::StatusCode;
use vexilla_domain::{
    DeliveryError, DeliveryErrorKind, PortError, RemoteError, RemoteErrorKind, SourceError,
    SourceErrorKind,
};

/// A call that brought no answer to go on with.
#[derive(Debug)]
pub(crate) struct Failure {
    what: What,
    message: String,
    /// The server's own words, which may repeat what it was asked.
    words: Option<String>,
    source: Option<reqwest::Error>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// No answer, or not all of it.
    Down,
    /// An answer that no Flagr gives.
    Odd,
}

impl Failure {
    fn down(message: String) -> Self {
        Self { what: What::Down, message, words: None, source: None }
    }

    fn odd(message: String) -> Self {
        Self { what: What::Odd, message, words: None, source: None }
    }

    fn saying(mut self, words: String) -> Self {
        self.words = Some(words);
        self
    }

    fn because(mut self, source: reqwest::Error) -> Self {
        self.source = Some(source.without_url());
        self
    }

    fn into_error<K: Copy>(self, kind: K) -> PortError<K> {
        let mut error = PortError::new(kind, self.message);
        if let Some(words) = self.words {
            error = error.with_words(words);
        }
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.what {
            What::Down => SourceErrorKind::Unavailable,
            What::Odd => SourceErrorKind::Invalid,
        };
        failure.into_error(kind)
    }
}

/// A Flagr that answers an evaluation with something odd is no better than one that is silent.
impl From<Failure> for RemoteError {
    fn from(failure: Failure) -> Self {
        failure.into_error(RemoteErrorKind::Unavailable)
    }
}

/// Whether Flagr took what it was sent is unknown.
impl From<Failure> for DeliveryError {
    fn from(failure: Failure) -> Self {
        failure.into_error(DeliveryErrorKind::Unavailable)
    }
}

/// No answer began: nobody listens, TLS failed, the connection was closed.
pub(crate) fn no_answer(call: &str, error: reqwest::Error) -> Failure {
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "connecting took too long",
        (true, false) => "cannot connect",
        (false, _) => "no answer",
    };
    Failure::down(format!("{call}: {what}")).because(error)
}

/// The answer began and did not end as it should.
pub(crate) fn broken_off(call: &str, received: usize, error: reqwest::Error) -> Failure {
    Failure::down(format!("{call}: the answer broke off after {received} bytes")).because(error)
}

pub(crate) fn too_slow(call: &str, limit: Duration) -> Failure {
    Failure::down(format!("{call}: the answer was not complete after {limit:?}"))
}

pub(crate) fn stalled(call: &str, limit: Duration) -> Failure {
    Failure::down(format!("{call}: not a byte within {limit:?}"))
}

pub(crate) fn too_large(call: &str, limit: usize) -> Failure {
    Failure::odd(format!("{call}: the answer has more than {limit} bytes"))
}

/// Another type of content than JSON; what the server calls it is its own text, so no more than a piece is shown.
pub(crate) fn not_json(call: &str, content_type: &str) -> Failure {
    let shown: String = content_type.chars().take(80).collect();
    match shown.as_str() {
        "" => Failure::odd(format!(
            "{call} answered without a content type instead of `application/json`"
        )),
        _ => Failure::odd(format!("{call} answered with something else than `application/json`"))
            .saying(format!("`{shown}`")),
    }
}

/// A body that is not what the path should answer; the error may show a piece of it.
pub(crate) fn unreadable(call: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::odd(format!("{call} answered something else than expected")).saying(error.to_string())
}

/// What to do about refused credentials.
pub(crate) fn credentials_advice(has_credentials: bool) -> &'static str {
    if has_credentials {
        "check the credentials"
    } else {
        "it wants credentials, none are configured"
    }
}

/// A read that was answered with another status than 200. A gate in front of Flagr answers with a redirect to its login
/// page, or with 401 or 403.
pub(crate) fn refused(call: &str, status: StatusCode, has_credentials: bool) -> SourceError {
    let answered = format!("{call} answered {status}");
    let advice = credentials_advice(has_credentials);
    let (kind, message) = match status.as_u16() {
        401 | 403 => (SourceErrorKind::Unauthorized, format!("{answered}: {advice}")),
        302 | 303 | 307 => (
            SourceErrorKind::Unauthorized,
            format!("{answered}, as a redirect to a login page does: {advice}"),
        ),
        301 | 308 => (
            SourceErrorKind::Invalid,
            format!("{answered}: redirects are not followed, configure the new address"),
        ),
        404 => {
            (SourceErrorKind::Invalid, format!("{answered}: check the address and its path prefix"))
        }
        408 | 429 | 500 | 502..=599 => (SourceErrorKind::Unavailable, answered),
        _ => (SourceErrorKind::Invalid, answered),
    };
    SourceError::new(kind, message)
}
