//! The `Host` of a request, judged as Go's server judges it before anybody else sees the request.

use http::header::{HOST, HeaderMap};
use http::{Method, Request, Version};

/// Why a request that came over a connection is refused for its `Host`, in Go's words.
pub(crate) fn refused<B>(request: &Request<B>) -> Option<&'static str> {
    let needs_one = request.version() == Version::HTTP_11 && request.method() != Method::CONNECT;
    if needs_one && !request.headers().contains_key(HOST) {
        return Some("400 Bad Request: missing required Host header");
    }
    wrong(request.headers())
}

/// What is wrong with the `Host` that there is, however the request came: who is asked must be one, since each reader
/// would take another.
pub(crate) fn wrong(headers: &HeaderMap) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Some("400 Bad Request"),
        (Some(host), None) if !host.as_bytes().iter().copied().all(is_allowed) => {
            Some("400 Bad Request: malformed Host header")
        }
        _ => None,
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}
