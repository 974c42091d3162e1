//! Requests of pages from other origins, answered as Flagr's defaults answer them (`flagr-semantics` 3.10).

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use crate::error::{Answered, whole};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const HEADERS: [&str; 6] =
    ["origin", "accept", "content-type", "x-requested-with", "authorization", "time_zone"];

/// What OpenFeature's web providers send beside that.
const OFREP_HEADERS: [&str; 2] = ["if-none-match", "x-api-key"];

/// Where a request comes from, as far as its answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A page of some origin, by a method that it may use.
    Page,
    /// The same, by OpenFeature's protocol.
    OfrepPage,
    /// Anybody else.
    Other,
}

impl Origin {
    pub(crate) fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let is_page = headers.get(header::ORIGIN).is_some_and(|it| !it.is_empty());
        match is_page && is_allowed_method(method.as_str()) {
            true if is_ofrep(path) => Self::OfrepPage,
            true => Self::Page,
            false => Self::Other,
        }
    }

    /// Adds to an answer what its caller may do with it.
    pub(crate) fn allow(self, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let exposed = match self {
            Self::Page => "Www-Authenticate",
            Self::OfrepPage => "Www-Authenticate, ETag, Retry-After",
            Self::Other => return,
        };
        allow_origin(headers);
        let exposed = HeaderValue::from_static(exposed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

fn is_ofrep(path: &str) -> bool {
    path.contains("/ofrep/v1/")
}

/// Whether a browser asks what it may ask.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    method == Method::OPTIONS && asked.is_some_and(|it| !it.is_empty())
}

/// Tells a browser what it may ask: what it wanted to know, or nothing.
pub(crate) fn preflight(path: &str, asked: &HeaderMap) -> Answered {
    let mut response = whole("");
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        header::VARY,
        HeaderValue::from_static(
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ),
    );
    let is_page = asked.get(header::ORIGIN).is_some_and(|it| !it.is_empty());
    let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let Some(method) = method.filter(|it| it.to_str().is_ok_and(is_allowed_method)) else {
        return response;
    };
    let names = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    if !is_page || !names.is_none_or(|it| are_allowed_headers(path, it)) {
        return response;
    }
    allow_origin(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    if let Some(names) = names.filter(|it| !it.is_empty()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

fn allow_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}

fn is_allowed_method(method: &str) -> bool {
    method == "OPTIONS" || METHODS.contains(&method)
}

fn are_allowed_headers(path: &str, names: &HeaderValue) -> bool {
    let further: &[&str] = if is_ofrep(path) { &OFREP_HEADERS } else { &[] };
    let is_allowed = |it: &str| {
        let name = it.trim();
        name.is_empty() || HEADERS.iter().chain(further).any(|it| it.eq_ignore_ascii_case(name))
    };
    names.to_str().is_ok_and(|it| it.split(',').all(is_allowed))
}
