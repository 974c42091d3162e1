//! Requests that are not answered with what they asked for: Flagr's error shapes, and the one place that turns an error
//! into a status.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use tower::BoxError;
use vexilla_domain::BatchTooLarge;
use vexilla_domain::json::{JsonError, write_string};

use crate::forward::{ForwardError, ForwardErrorKind};
use crate::operation;

/// What the sidecar sends: bytes that are there, or bytes that come from Flagr.
pub(crate) type Answered = Response<Either<Full<Bytes>, UnsyncBoxBody<Bytes, BoxError>>>;

/// A response with these bytes.
pub(crate) fn whole(body: impl Into<Bytes>) -> Answered {
    Response::new(Either::Left(Full::new(body.into())))
}

/// Said to one request too many, whatever it asks for.
pub(crate) const OVERLOADED: &str = "too many requests are being worked on, try again later";

/// A refused request.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    shape: Shape,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// How Flagr writes an error (`flagr-semantics` 3.2).
#[derive(Debug)]
enum Shape {
    /// `{"message":…}` and a newline.
    Handler,
    /// `{"code":…,"message":…}`; the code may be a rule's number instead of the status.
    Framework(u16),
    /// A JSON text and a newline.
    Bare,
    /// Text.
    Plain,
    /// Text that is called bytes.
    Octets,
}

impl Refusal {
    fn new(status: StatusCode, shape: Shape, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, shape, message: message.into(), header: None }
    }

    fn framework(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, Shape::Framework(status.as_u16()), message)
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) fn unknown_path(path: &str) -> Self {
        Self::framework(StatusCode::NOT_FOUND, format!("path {path} was not found"))
    }

    /// A path outside the web prefix.
    pub(crate) fn outside() -> Self {
        Self::new(StatusCode::NOT_FOUND, Shape::Plain, "404 page not found\n")
            .with_header(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
    }

    pub(crate) fn wrong_method(asked: &Method, allowed: &[&str]) -> Self {
        let allowed = allowed.join(",");
        let message = format!("method {asked} is not allowed, but [{allowed}] are");
        let allowed = HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_static("GET"));
        Self::framework(StatusCode::METHOD_NOT_ALLOWED, message).with_header(header::ALLOW, allowed)
    }

    /// An operation that a Flagr does not have when it only evaluates.
    pub(crate) fn not_implemented(operation: &str) -> Self {
        let shape = if operation == operation::SQLITE { Shape::Octets } else { Shape::Bare };
        let message = format!("operation {operation} has not yet been implemented");
        Self::new(StatusCode::NOT_IMPLEMENTED, shape, message)
    }

    /// A `?json=` that is no value of this name.
    pub(crate) fn invalid_query(name: &str, reason: &str) -> Self {
        let message = format!("json is not valid {name}: {reason}");
        Self::new(StatusCode::BAD_REQUEST, Shape::Handler, message)
    }

    pub(crate) fn query_too_long(length: usize, most: usize) -> Self {
        let message =
            format!("GET evaluation query length {length} exceeds maximum of {most}; use POST");
        Self::new(StatusCode::BAD_REQUEST, Shape::Handler, message)
    }

    /// A request that Flagr was to answer and did not.
    pub(crate) fn not_forwarded(error: &ForwardError) -> Self {
        let status = match error.kind() {
            ForwardErrorKind::Unavailable => StatusCode::BAD_GATEWAY,
            ForwardErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            ForwardErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            ForwardErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ForwardErrorKind::BadRequest => StatusCode::BAD_REQUEST,
            ForwardErrorKind::SlowRequest => StatusCode::REQUEST_TIMEOUT,
        };
        let refusal = Self::new(status, Shape::Handler, error.to_string());
        match error.kind() {
            ForwardErrorKind::Overloaded => refusal.later(),
            ForwardErrorKind::TooLarge
            | ForwardErrorKind::BadRequest
            | ForwardErrorKind::SlowRequest => refusal.closing(),
            _ => refusal,
        }
    }

    /// The listener says the same, before anybody is asked.
    pub(crate) fn wrong_host(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Shape::Plain, reason).closing()
    }

    /// How the body is coded must be what each reader takes it for.
    pub(crate) fn unknown_coding() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, Shape::Plain, "unsupported transfer encoding\n")
            .closing()
    }

    /// The `Content-Type` cannot be parsed; `value` is quoted already.
    pub(crate) fn malformed_media_type(value: &str, reason: &str) -> Self {
        let message = format!("parsing Content-Type header from {value} failed, because {reason}");
        Self::framework(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unsupported_media_type(media_type: &str) -> Self {
        let message =
            format!("unsupported media type \"{media_type}\", only [application/json] are allowed");
        Self::framework(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// A pattern such as `*/*` is let through by Flagr's check, and nobody can read it then.
    pub(crate) fn unreadable_media_type(media_type: &str) -> Self {
        let message = format!("no consumer registered for {media_type}");
        Self::framework(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// Nothing that fits the `Accept` header is to be had.
    pub(crate) fn not_acceptable() -> Self {
        let message = "unsupported media type requested, only [application/json] are available";
        Self::framework(StatusCode::NOT_ACCEPTABLE, message)
    }

    pub(crate) fn unparsable_body(reason: &str) -> Self {
        Self::framework(
            StatusCode::BAD_REQUEST,
            format!("parsing body body from \"\" failed, because {reason}"),
        )
    }

    /// A body or a parameter that breaks the rule of this number.
    pub(crate) fn invalid(rule: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Shape::Framework(rule), message)
    }

    pub(crate) fn missing_body() -> Self {
        Self::invalid(602, "body in body is required")
    }

    pub(crate) fn batch_too_large(error: BatchTooLarge) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Shape::Handler, error.to_string())
    }

    pub(crate) fn answer_too_large(limit: usize) -> Self {
        let message = format!(
            "batch evaluation answer exceeds maximum allowed size of {limit} bytes: ask for fewer entities or flags"
        );
        Self::new(StatusCode::BAD_REQUEST, Shape::Handler, message)
    }

    /// Flagr's handler crashes here: the same status and type, without its stack trace.
    pub(crate) fn null_entity() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Shape::Plain,
            "PANIC: an item of `entities` is null\n",
        )
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        let message = format!("request body exceeds maximum allowed size of {limit} bytes");
        Self::framework(StatusCode::PAYLOAD_TOO_LARGE, message).closing()
    }

    pub(crate) fn body_too_slow() -> Self {
        Self::framework(StatusCode::REQUEST_TIMEOUT, "request body did not arrive in time")
            .closing()
    }

    pub(crate) fn body_cut() -> Self {
        Self::framework(StatusCode::BAD_REQUEST, "request body could not be received").closing()
    }

    pub(crate) fn overloaded() -> Self {
        Self::framework(StatusCode::SERVICE_UNAVAILABLE, OVERLOADED).later()
    }

    pub(crate) fn too_slow() -> Self {
        Self::framework(
            StatusCode::SERVICE_UNAVAILABLE,
            "the answer was not ready in time, try again later",
        )
        .later()
    }

    /// Never JSON: a Flagr that reads the export as its source takes any JSON object for a document without flags.
    pub(crate) fn nothing_loaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Shape::Plain, "no flags are loaded yet\n")
            .later()
    }

    pub(crate) fn too_many_exposures(size: usize, most: usize) -> Self {
        let message = format!("exposure batch size {size} exceeds maximum allowed size of {most}");
        Self::new(StatusCode::BAD_REQUEST, Shape::Handler, message)
    }

    /// There is no room for exposures, or no place to keep them. None of them was taken.
    pub(crate) fn exposures_not_taken() -> Self {
        let message = "exposures cannot be taken now, try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Shape::Handler, message).later()
    }

    /// The same as text, for who reads the answer as an export: see [`nothing_loaded`](Self::nothing_loaded).
    pub(crate) fn in_text(mut self) -> Self {
        if self.status.is_server_error() && !matches!(self.shape, Shape::Plain) {
            self.shape = Shape::Plain;
            self.message = format!("{}\n", self.message).into();
        }
        self
    }

    /// Never JSON either.
    pub(crate) fn unreadable_export(error: &JsonError) -> Self {
        let message = format!("the export cannot be filtered: {error}\n");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Shape::Plain, message)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Shape::Plain,
            "PANIC: the request could not be answered\n",
        )
    }

    /// It may be asked again soon.
    fn later(self) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The rest of the request is not waited for.
    fn closing(self) -> Self {
        self.with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether a handler of Flagr's says so, and not the framework around it.
    pub(crate) fn is_of_a_handler(&self) -> bool {
        matches!(self.shape, Shape::Handler | Shape::Bare)
    }

    /// Whether it is for want of a free place.
    pub(crate) fn is_overload(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.message == OVERLOADED
    }

    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        self.header.clone()
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn into_response(self) -> Answered {
        let mut body = Vec::with_capacity(self.message.len() + 32);
        match self.shape {
            Shape::Handler => {
                body.extend_from_slice(b"{\"message\":");
                write_string(&mut body, &self.message);
                body.extend_from_slice(b"}\n");
            }
            Shape::Framework(code) => {
                body.extend_from_slice(format!("{{\"code\":{code},\"message\":").as_bytes());
                write_html_safe(&mut body, &self.message);
                body.push(b'}');
            }
            Shape::Bare => {
                write_html_safe(&mut body, &self.message);
                body.push(b'\n');
            }
            Shape::Plain | Shape::Octets => body.extend_from_slice(self.message.as_bytes()),
        }
        let content_type = match self.shape {
            Shape::Handler | Shape::Framework(_) | Shape::Bare => "application/json",
            Shape::Octets => "application/octet-stream",
            Shape::Plain => "text/plain; charset=utf-8",
        };
        let mut response = whole(body);
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Flagr's framework errors escape what HTML could stumble over; its handlers' answers do not.
fn write_html_safe(out: &mut Vec<u8>, text: &str) {
    let mut plain = Vec::with_capacity(text.len() + 2);
    write_string(&mut plain, text);
    for byte in plain {
        match byte {
            b'<' => out.extend_from_slice(b"\\u003c"),
            b'>' => out.extend_from_slice(b"\\u003e"),
            b'&' => out.extend_from_slice(b"\\u0026"),
            other => out.push(other),
        }
    }
}
