//! The `Host` of a request, judged as Go's server judges it before anybody else sees the request.

use http::header::HOST;
use http::{Method, Request, Version};

/// Why a request is refused for its `Host`, in Go's words.
pub(super) fn refused<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Some("400 Bad Request"),
        (Some(host), None) if !host.as_bytes().iter().copied().all(is_allowed) => {
            Some("400 Bad Request: malformed Host header")
        }
        (None, _)
            if request.version() == Version::HTTP_11 && request.method() != Method::CONNECT =>
        {
            Some("400 Bad Request: missing required Host header")
        }
        _ => None,
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}
