//! Who we are to Flagr, or to the gate in front of it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};
use vexilla_domain::Secret;

use crate::ConfigError;

/// How requests are authenticated. More ways may come: match with a catch-all arm.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer …`, for Flagr's JWT gate.
    Bearer(Secret),
    /// `Authorization: Basic …`, for Flagr's Basic gate.
    Basic {
        /// The user; holds no colon.
        user: String,
        /// The password.
        password: Secret,
    },
    /// Any one header, for a gate of your own.
    Header {
        /// The header's name.
        name: String,
        /// The header's value.
        value: Secret,
    },
    /// As these say at the time of each request.
    Shared(SharedAuth),
}

/// Credentials that may be replaced while they are in use, as where they are renewed from time to time. Clones share them.
///
/// ```
/// # use vexilla_domain::Secret;
/// # use vexilla_flagr::{Auth, FlagrConfig, FlagrSource, SharedAuth};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = SharedAuth::new(Auth::Bearer(Secret::new("of today")))?;
/// let mut config = FlagrConfig::new("http://flagr:18000");
/// config.auth = Auth::Shared(auth.clone());
/// let source = FlagrSource::new(config)?;
/// auth.replace(&SharedAuth::new(Auth::Bearer(Secret::new("of tomorrow")))?);
/// # drop(source);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SharedAuth(Arc<ArcSwap<Credentials>>);

impl SharedAuth {
    /// Credentials to begin with.
    ///
    /// # Errors
    ///
    /// If they do not fit into a request.
    pub fn new(auth: Auth) -> Result<Self, ConfigError> {
        let credentials = match auth {
            Auth::Shared(shared) => return Ok(shared),
            Auth::None => Credentials::None,
            Auth::Bearer(token) => header("authorization", &format!("Bearer {}", token.reveal()))?,
            Auth::Basic { user, .. } if user.contains(':') => {
                let reason = "cannot be a user name: it holds a colon";
                return Err(ConfigError::new("auth", user, reason));
            }
            Auth::Basic { user, password } => Credentials::Basic { user, password },
            Auth::Header { name, value } => header(&name, value.reveal())?,
        };
        Ok(Self(Arc::new(ArcSwap::from_pointee(credentials))))
    }

    /// Takes over the others, from the next request on.
    pub fn replace(&self, others: &Self) {
        self.0.store(others.0.load_full());
    }

    pub(crate) fn now(&self) -> Arc<Credentials> {
        self.0.load_full()
    }
}

/// An [`Auth`] that is known to fit into a request.
#[derive(Debug)]
pub(crate) enum Credentials {
    None,
    Basic { user: String, password: Secret },
    Header(HeaderName, HeaderValue),
}

impl Credentials {
    /// Whether there are any.
    pub(crate) fn given(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The header that carries them; for the name and password it is always `Authorization`.
    pub(crate) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Header(name, _) => Some(name),
            Self::None | Self::Basic { .. } => None,
        }
    }

    pub(crate) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
            Self::Header(name, value) => request.header(name, value),
        }
    }
}

fn header(name: &str, value: &str) -> Result<Credentials, ConfigError> {
    let Ok(header) = HeaderName::try_from(name) else {
        return Err(ConfigError::new("auth", name, "cannot be the name of a header"));
    };
    let Ok(mut value) = HeaderValue::try_from(value) else {
        return Err(ConfigError::new("auth", "[redacted]", "cannot be the value of a header"));
    };
    value.set_sensitive(true);
    Ok(Credentials::Header(header, value))
}

#[cfg(test)]
mod tests;
