//! A context for every request of a web service, and the client beside it.
//!
//! Where things come from:
//!
//! - the entity's id: the header `X-User-ID`, else the cookie `user_id`, else an id that a session cookie keeps, if that
//!   is configured, else none, so that each evaluation takes a random one;
//! - `method` and `path`: the request's; the path without its query;
//! - `client_ip`: the peer, or who is behind it where the peer is a trusted proxy; left out when no peer is known;
//! - `header_<name>`: each header of the list that is there and is text, its name in small letters with `_` for `-`.
//!
//! `Authorization`, `Cookie` and their like cannot be put onto the list.
//!
//! Nobody checks the id: whoever may send `X-User-ID` may be anybody. Let the gate in front set or remove it, or
//! configure no header.

#[cfg(feature = "axum")]
mod extract;
mod layer;
mod proxies;
mod session;

use http::HeaderName;
use http::header;

#[cfg(feature = "axum")]
pub use extract::{MissingLayer, RequestFlags};
pub use layer::{ContextLayer, ContextService};
pub use proxies::{PeerAddress, ProxyError, TrustedProxies};

/// What a context is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextConfig {
    /// The header that holds the entity's id; none is looked at where there is no name.
    pub user_header: Option<HeaderName>,
    /// The cookie that holds it otherwise.
    pub user_cookie: Option<String>,
    /// What kind of entity it is.
    pub entity_type: String,
    /// The proxies whose word for a client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// Keeps one id for an anonymous user.
    pub anonymous: Option<SessionCookie>,
    headers: Vec<(HeaderName, String)>,
}

/// A cookie that holds a random id until the browser is closed: `HttpOnly`, `SameSite=Lax`, `Path=/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    /// The cookie's name.
    pub name: String,
    /// Whether it is sent over HTTPS only.
    pub secure: bool,
}

/// A header must not get into a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header `{name}` holds secrets and stays out of contexts")]
pub struct HeaderError {
    name: HeaderName,
}

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            user_header: Some(HeaderName::from_static("x-user-id")),
            user_cookie: Some("user_id".to_owned()),
            entity_type: "user".to_owned(),
            trusted_proxies: TrustedProxies::default(),
            anonymous: None,
            headers: Vec::new(),
        }
    }
}

impl ContextConfig {
    /// Adds a header to those that become attributes: `X-Tenant` becomes `header_x_tenant`.
    ///
    /// # Errors
    ///
    /// If it holds secrets: `Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`.
    pub fn with_header(mut self, name: HeaderName) -> Result<Self, HeaderError> {
        let secret = [
            header::AUTHORIZATION,
            header::PROXY_AUTHORIZATION,
            header::COOKIE,
            header::SET_COOKIE,
        ];
        if secret.contains(&name) {
            return Err(HeaderError { name });
        }
        let attribute = format!("header_{}", name.as_str().replace('-', "_"));
        self.headers.push((name, attribute));
        Ok(self)
    }
}
