//! What the admin API and the webhook say: JSON in `snake_case`, `{"error":…}` where something is wrong.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::BoxError;

use crate::error::OVERLOADED;
use crate::receive::{Unreceived, receive};

/// An answer.
pub(crate) type Reply = Response<Full<Bytes>>;

/// A request that is not answered with what it asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), header: None }
    }

    pub(crate) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this path")
    }

    pub(crate) fn wrong_method(allowed: &'static str) -> Self {
        let message = format!("this path takes {allowed} only");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
            .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    pub(crate) fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, OVERLOADED)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    pub(crate) fn panicked() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered")
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The rest of the request is not waited for.
    fn closing(self) -> Self {
        self.with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_reply(self) -> Reply {
        #[derive(Serialize)]
        struct Written<'t> {
            error: &'t str,
        }
        let mut reply = json(self.status, &Written { error: &self.message });
        if let Some((name, value)) = self.header {
            reply.headers_mut().insert(name, value);
        }
        reply
    }
}

/// A value as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    // Fails for maps without text as keys only, which no answer has.
    let body = serde_json::to_vec(value).unwrap_or_default();
    reply(status, "application/json", body)
}

/// Bytes of some type. Answers hold the moment's state, so that nobody is to keep them.
pub(crate) fn reply(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// Reads a body as far as the limits allow.
///
/// A chunked one is refused: nobody who calls these routes sends one, and next to a `Content-Length`, which hyper
/// leaves out silently then, it is how a second request is smuggled past a gate.
pub(crate) async fn read_body<B>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    if headers.contains_key(header::TRANSFER_ENCODING) {
        let message = "send the body with a `Content-Length`, not in chunks";
        return Err(Problem::new(StatusCode::LENGTH_REQUIRED, message).closing());
    }
    receive(body, limit, timeout, None).await.map_err(|why| {
        let problem = match why {
            Unreceived::TooLarge => {
                let message = format!("the body has more than {limit} bytes");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
            }
            Unreceived::TooSlow => {
                let message = "the body did not arrive in time";
                Problem::new(StatusCode::REQUEST_TIMEOUT, message)
            }
            Unreceived::Cut => Problem::bad("the body could not be received"),
            Unreceived::NoRoom => Problem::overloaded(),
        };
        problem.closing()
    })
}

/// Reads JSON, and names the member that is wrong.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, reason) = (error.path().to_string(), error.inner());
        match &*path {
            "." | "?" => Problem::bad(format!("the body: {reason}")),
            path => Problem::bad(format!("`{path}`: {reason}")),
        }
    })?;
    reader.end().map_err(|error| Problem::bad(format!("the body: {error}")))?;
    Ok(value)
}
