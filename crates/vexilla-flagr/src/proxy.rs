//! An HTTP proxy on the way to Flagr.

use std::fmt;

use crate::{ConfigError, config};
use vexilla_domain::Secret;

/// The proxy that all requests go through, whatever the environment says.
#[derive(Clone)]
pub struct HttpProxy {
    url: String,
    login: Option<(String, Secret)>,
}

impl HttpProxy {
    /// A proxy at this address, `http://proxy:3128`, that asks nobody who they are.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), login: None }
    }

    /// Sets who we are to the proxy. The user holds no colon.
    #[must_use]
    pub fn with_login(mut self, user: impl Into<String>, password: Secret) -> Self {
        self.login = Some((user.into(), password));
        self
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProxy")
            .field("url", &config::redacted(&self.url))
            .field("login", &self.login)
            .finish()
    }
}

/// A proxy that is known to be one.
pub(crate) struct Checked {
    pub(crate) route: reqwest::Proxy,
    pub(crate) uses_tls: bool,
}

pub(crate) fn read(proxy: HttpProxy) -> Result<Checked, ConfigError> {
    let advice = "holds credentials: give them as the login of the proxy";
    let url = config::address("proxy", &proxy.url, advice)?;
    if url.path() != "/" {
        return Err(ConfigError::new("proxy", url.as_str(), "has a path"));
    }
    let uses_tls = url.scheme() == "https";
    let route = reqwest::Proxy::all(url.clone()).map_err(|error| {
        ConfigError::new("proxy", url.as_str(), "is no proxy").with_source(error)
    })?;
    let route = match proxy.login {
        None => route,
        Some((user, _)) if user.contains(':') => {
            return Err(ConfigError::new(
                "proxy.user",
                user,
                "cannot be a user name: it holds a colon",
            ));
        }
        Some((user, password)) => route.basic_auth(&user, password.reveal()),
    };
    Ok(Checked { route, uses_tls })
}

#[cfg(test)]
mod tests;
