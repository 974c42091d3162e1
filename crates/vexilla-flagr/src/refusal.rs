//! What a status other than 200 on an evaluation says about Flagr.

use reqwest::StatusCode;
use serde::Deserialize;
use vexilla_domain::{PortError, RemoteError, RemoteErrorKind};

use crate::error::credentials_advice;

/// As much of a refusal as is read: a message, or the first lines of a stack trace.
pub(crate) const MAX_REFUSAL: usize = 16 << 10;

/// No more than this of a server's own words is shown, in characters.
const SHOWN: usize = 300;

/// An answer with another status than 200.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// As much of the body as was read.
    pub(crate) body: Vec<u8>,
}

impl Refusal {
    /// The largest batch that this Flagr accepts, if that is what it says.
    pub(crate) fn batch_limit(&self) -> Option<usize> {
        self.limit("batch evaluation size ")
    }

    /// How many exposures this Flagr takes at once, if that is what it says.
    pub(crate) fn exposure_limit(&self) -> Option<usize> {
        self.limit("exposure batch size ")
    }

    /// Whether Flagr failed at what it was given.
    pub(crate) fn is_panic(&self) -> bool {
        self.body.starts_with(b"PANIC")
    }

    fn limit(&self, of: &str) -> Option<usize> {
        if self.status != StatusCode::BAD_REQUEST {
            return None;
        }
        let message = self.message()?;
        let (size, limit) =
            message.strip_prefix(of)?.split_once(" exceeds maximum allowed size of ")?;
        size.parse::<u64>().ok()?;
        limit.trim_end().parse().ok()
    }

    /// What it means for a caller.
    pub(crate) fn into_error(self, call: &str, has_credentials: bool) -> RemoteError {
        let kind = match self.status.as_u16() {
            500 if self.is_panic() => RemoteErrorKind::BadFlag,
            400 | 413 | 422 => RemoteErrorKind::BadRequest,
            408 | 429 => RemoteErrorKind::Unavailable,
            400..=499 => RemoteErrorKind::Refused,
            _ => RemoteErrorKind::Unavailable,
        };
        self.into_error_of(kind, call, has_credentials)
    }

    /// An error of this kind that says what can be done about it, and what Flagr says.
    pub(crate) fn into_error_of<K>(
        self,
        kind: K,
        call: &str,
        has_credentials: bool,
    ) -> PortError<K> {
        let advice = match self.status.as_u16() {
            401 | 403 => credentials_advice(has_credentials),
            301..=308 => "redirects are not followed",
            _ => "",
        };
        self.into_error_with(kind, call, advice)
    }

    /// The same with an advice of the caller's, which may be empty.
    pub(crate) fn into_error_with<K>(self, kind: K, call: &str, advice: &str) -> PortError<K> {
        let answered = format!("{call} answered {}", self.status);
        let words = match self.status.as_u16() {
            500 if self.is_panic() => Some(first_line(&self.body)),
            301..=308 | 401 | 403 | 408 | 429 => None,
            _ => self.message().as_deref().map(quoted),
        };
        let error = PortError::new(
            kind,
            match advice {
                "" => answered,
                _ => format!("{answered}: {advice}"),
            },
        );
        match words {
            Some(words) => error.with_words(words),
            None => error,
        }
    }

    /// Flagr's words for it.
    fn message(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Body {
            message: String,
        }

        serde_json::from_slice::<Body>(&self.body).ok().map(|it| it.message)
    }
}

/// The body of a panic is a message and a stack trace.
fn first_line(body: &[u8]) -> String {
    let line = body.split(|it| *it == b'\n').next().unwrap_or_default();
    quoted(&String::from_utf8_lossy(line))
}

fn quoted(text: &str) -> String {
    let shown: String =
        text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(SHOWN).collect();
    format!("`{}`", shown.trim())
}

#[cfg(test)]
mod tests;
