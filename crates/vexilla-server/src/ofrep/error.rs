//! What OpenFeature's callers are told instead of a value.

use std::borrow::Cow;

use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use vexilla_domain::json::write_string;

use crate::answer::json;
use crate::error::{Answered, Refusal};

/// Why there is no value.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// OpenFeature's code; none where nothing is wrong with the request.
    code: Option<&'static str>,
    details: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, details: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: Some(code), details: details.into(), header: None }
    }

    pub(crate) fn unreadable(reason: &str) -> Self {
        let details = format!("the request body cannot be read: {reason}");
        Self::new(StatusCode::BAD_REQUEST, "PARSE_ERROR", details)
    }

    pub(crate) fn bad_context(details: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_CONTEXT", details.to_owned())
    }

    pub(crate) fn no_targeting_key() -> Self {
        let details = "the flag's rollout needs context.targetingKey";
        Self::new(StatusCode::BAD_REQUEST, "TARGETING_KEY_MISSING", details)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "FLAG_NOT_FOUND", "there is no such flag")
    }

    pub(crate) fn general(details: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "GENERAL", details)
    }

    /// Nobody can list the flags.
    pub(crate) fn no_list() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "GENERAL", "bulk evaluation is not available here")
    }

    /// The same as another caller is told. Overload is a 429 here: for this status OpenFeature's providers wait.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let is_overload = refusal.status() == StatusCode::SERVICE_UNAVAILABLE;
        let (status, code) = match refusal.status() {
            StatusCode::SERVICE_UNAVAILABLE if refusal.is_overload() => {
                (StatusCode::TOO_MANY_REQUESTS, None)
            }
            StatusCode::BAD_REQUEST => (StatusCode::BAD_REQUEST, Some("GENERAL")),
            other => (other, None),
        };
        let details = refusal.message().trim_end().to_owned().into();
        let always = [header::CONNECTION, header::ALLOW];
        let kept = |it: &(HeaderName, HeaderValue)| is_overload || always.contains(&it.0);
        Self { status, code, details, header: refusal.header().filter(kept) }
    }

    /// Writes it as an object, for a flag of this key.
    pub(crate) fn write(&self, out: &mut Vec<u8>, key: Option<&str>) {
        out.push(b'{');
        if let (Some(key), Some(_)) = (key, self.code) {
            out.extend_from_slice(b"\"key\":");
            write_string(out, key);
            out.push(b',');
        }
        if let Some(code) = self.code {
            out.extend_from_slice(b"\"errorCode\":\"");
            out.extend_from_slice(code.as_bytes());
            out.extend_from_slice(b"\",");
        }
        out.extend_from_slice(b"\"errorDetails\":");
        write_string(out, &self.details);
        out.push(b'}');
    }

    pub(crate) fn into_response(self, key: Option<&str>) -> Answered {
        let mut body = Vec::with_capacity(128);
        self.write(&mut body, key);
        body.push(b'\n');
        let (mut head, body) = json(body).into_parts();
        head.status = self.status;
        head.headers.extend(self.header.map(|(name, value)| (Some(name), value)));
        Response::from_parts(head, body)
    }
}
