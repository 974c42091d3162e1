//! The headers of somebody's request that go with an evaluation, for flags that read them (`@http_…`).

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use vexilla_domain::Context;

/// What is ours to say, or belongs to the connection and not to the request, or tells of another body than ours.
///
/// Cookies are among it: Flagr's gate believes a token in one before it looks at our credentials.
const OURS: [&str; 18] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "authorization",
    "connection",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
];

/// The headers of a context that may go with a request of ours, which `credentials` says who we are with, and its trace
/// unless the request tells one of its own. Names and values that no header can have are left out, as they cannot have
/// come with a request.
pub(crate) fn headers(
    context: &Context,
    credentials: Option<&HeaderName>,
    tells_trace: bool,
) -> HeaderMap {
    let trace = if tells_trace { &[] } else { context.trace() };
    let mut headers = HeaderMap::new();
    for (name, value) in context.headers().iter().chain(trace) {
        let (Ok(name), Ok(value)) =
            (HeaderName::try_from(&**name), HeaderValue::from_bytes(value.as_bytes()))
        else {
            continue;
        };
        let ours = OURS.contains(&name.as_str()) || name.as_str().starts_with("content-");
        if !ours && credentials != Some(&name) {
            // More than fits into a map of headers is more than a server reads.
            let _ = headers.try_append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests;
