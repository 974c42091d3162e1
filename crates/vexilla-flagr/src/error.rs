//! What went wrong with a request, in words for an operator.
//!
//! Every text names the method and the path and never the host, a header or a body: those may hold secrets.

use std::time::Duration;

use reqwest::StatusCode;
use vexilla_domain::{SourceError, SourceErrorKind};

/// No answer began: nobody listens, TLS failed, the connection was closed.
pub(crate) fn no_answer(path: &str, error: reqwest::Error) -> SourceError {
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "connecting took too long",
        (true, false) => "cannot connect",
        (false, _) => "no answer",
    };
    unavailable(format!("GET {path}: {what}")).with_source(error.without_url())
}

/// The answer began and did not end as it should.
pub(crate) fn broken_off(path: &str, received: usize, error: reqwest::Error) -> SourceError {
    unavailable(format!("GET {path}: the answer broke off after {received} bytes"))
        .with_source(error.without_url())
}

pub(crate) fn too_slow(path: &str, limit: Duration) -> SourceError {
    unavailable(format!("GET {path}: the answer was not complete after {limit:?}"))
}

pub(crate) fn stalled(path: &str, limit: Duration) -> SourceError {
    unavailable(format!("GET {path}: not a byte within {limit:?}"))
}

pub(crate) fn too_large(path: &str, limit: usize) -> SourceError {
    invalid(format!("GET {path}: the answer has more than {limit} bytes"))
}

/// Another type of content than JSON; what the server calls it is its own text, so no more than a piece is shown.
pub(crate) fn not_json(path: &str, content_type: &str) -> SourceError {
    let shown: String = content_type.chars().take(80).collect();
    invalid(match shown.as_str() {
        "" => format!("GET {path} answered without a content type instead of `application/json`"),
        _ => format!("GET {path} answered with `{shown}` instead of `application/json`"),
    })
}

/// Another status than 200. A gate in front of Flagr answers with a redirect to its login page, or with 401 or 403.
pub(crate) fn refused(path: &str, status: StatusCode, has_credentials: bool) -> SourceError {
    let answered = format!("GET {path} answered {status}");
    let advice = if has_credentials {
        "check the credentials"
    } else {
        "it wants credentials, none are configured"
    };
    match status.as_u16() {
        401 | 403 => {
            SourceError::new(SourceErrorKind::Unauthorized, format!("{answered}: {advice}"))
        }
        302 | 303 | 307 => SourceError::new(
            SourceErrorKind::Unauthorized,
            format!("{answered}, as a redirect to a login page does: {advice}"),
        ),
        301 | 308 => {
            invalid(format!("{answered}: redirects are not followed, configure the new address"))
        }
        404 => invalid(format!("{answered}: check the address and its path prefix")),
        408 | 429 | 500 | 502..=599 => unavailable(answered),
        _ => invalid(answered),
    }
}

/// A body that is not what the path should answer.
pub(crate) fn unreadable(path: &str, error: &dyn std::fmt::Display) -> SourceError {
    invalid(format!("GET {path} answered something else than expected: {error}"))
}

fn unavailable(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, message)
}

fn invalid(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Invalid, message)
}
