//! Which path is what.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::reply::Problem;

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Route {
    Health,
    Ready,
    OpenApi,
    Metrics,
    Stats,
    Flags,
    /// A flag by its key, unless that is no text.
    Flag(Result<String, Problem>),
    Explain,
    Invalidate,
    InvalidateAll,
    Refresh,
}

/// Whether a path is behind the token.
pub(super) fn is_guarded(path: &str) -> bool {
    path.strip_prefix("/admin").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Route {
    pub(super) fn find(path: &str) -> Option<Self> {
        match path {
            "/health" => Some(Self::Health),
            "/ready" => Some(Self::Ready),
            "/openapi.json" => Some(Self::OpenApi),
            "/metrics" => Some(Self::Metrics),
            "/admin/stats" => Some(Self::Stats),
            "/admin/flags" => Some(Self::Flags),
            "/admin/explain" => Some(Self::Explain),
            "/admin/invalidate" => Some(Self::Invalidate),
            "/admin/invalidate-all" => Some(Self::InvalidateAll),
            "/admin/refresh" => Some(Self::Refresh),
            // A flag's key may hold slashes, so that the rest of the path is the key.
            _ => match path.strip_prefix("/admin/flags/")? {
                "" => None,
                key => Some(Self::Flag(decode(key))),
            },
        }
    }

    /// The path, without what differs from flag to flag.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Health => "/health",
            Self::Ready => "/ready",
            Self::OpenApi => "/openapi.json",
            Self::Metrics => "/metrics",
            Self::Stats => "/admin/stats",
            Self::Flags => "/admin/flags",
            Self::Flag(_) => "/admin/flags/{key}",
            Self::Explain => "/admin/explain",
            Self::Invalidate => "/admin/invalidate",
            Self::InvalidateAll => "/admin/invalidate-all",
            Self::Refresh => "/admin/refresh",
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::Explain | Self::Invalidate | Self::InvalidateAll | Self::Refresh => Method::POST,
            _ => Method::GET,
        }
    }

    /// The methods as text.
    pub(super) fn allowed(&self) -> &'static str {
        if self.method() == Method::POST { "POST" } else { "GET, HEAD" }
    }

    pub(super) fn takes_json(&self) -> bool {
        matches!(self, Self::Explain | Self::Invalidate)
    }
}

fn decode(key: &str) -> Result<String, Problem> {
    match percent_decode_str(key).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err(Problem::bad("`key` is not UTF-8")),
    }
}
