//! Whether a request comes from this machine by its own doing, and not because a web page has its browser send it.
//!
//! Without a secret everybody on the machine may call, and a browser is on it: a page whose name is made to mean a loopback
//! address (DNS rebinding) reaches the port. It cannot choose what its browser says of it, though.

use std::net::IpAddr;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Authority;

use crate::media_type;
use crate::reply::Problem;

/// What is wrong, if anything.
pub(crate) fn refused(headers: &HeaderMap) -> Option<&'static str> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    if headers.get(header::HOST).is_some_and(|it| !is_this_machine(&text(it))) {
        return Some(
            "without a secret only this machine is answered: `Host` must be `localhost` or a loopback address",
        );
    }
    let is_foreign = |origin: &HeaderValue| {
        let origin = text(origin);
        !origin.split_once("://").is_some_and(|(_, authority)| is_this_machine(authority))
    };
    let is_cross_site = headers.get("sec-fetch-site").is_some_and(|it| it == "cross-site");
    if is_cross_site || headers.get(header::ORIGIN).is_some_and(is_foreign) {
        return Some("without a secret pages of other sites are not answered");
    }
    None
}

/// Refuses a body that is not called JSON. A page in a browser can send other types anywhere without asking, so that it
/// could order a client on the same machine about.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let given = given.and_then(|it| media_type::parse(it).ok());
    if given.is_some_and(|it| (it.kind(), it.subtype()) == ("application", "json")) {
        return Ok(());
    }
    let message = "send the body as `Content-Type: application/json`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Whether it is `localhost` or a loopback address, with a port or without.
fn is_this_machine(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let is_named = host.eq_ignore_ascii_case("localhost");
    is_named || bare.parse::<IpAddr>().is_ok_and(|it| it.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
