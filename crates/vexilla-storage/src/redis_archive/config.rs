//! Where Redis is and how long it may take.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo};
use tokio_rustls::TlsConnector;
use vexilla_domain::Secret;

use super::tls;

/// Where Redis is, who asks, and the limits of each call.
///
/// Fill it in, then give it to [`RedisArchive::connect`](crate::RedisArchive::connect), which checks it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisConfig {
    /// The host name or address: `127.0.0.1`.
    pub host: String,
    /// The port: 6379.
    pub port: u16,
    /// The user, where Redis has several; by default none is named.
    pub username: Option<String>,
    /// The password; none by default.
    pub password: Option<Secret>,
    /// The number of the database: 0.
    pub database: u32,
    /// Whether the connection is encrypted; by default it is not.
    pub tls: bool,
    /// Certificates in PEM that are trusted beside those of the system; none by default.
    pub extra_roots: Vec<u8>,
    /// What all our keys and our channel begin with: `vexilla:`. Instances with the same prefix serve the same flags.
    pub key_prefix: String,
    /// How long connecting and logging in may take: 1 s.
    pub connect_timeout: Duration,
    /// How long Redis may take for one command: 5 s. A command of the lease never gets longer than a third of the lease.
    pub response_timeout: Duration,
    /// How long an instance that is gone keeps others from asking Flagr: 15 s. It is renewed after each third.
    ///
    /// It is also how often Redis is asked whether there is something newer, beside its own messages.
    pub lease: Duration,
    /// The largest document that is saved or loaded, in bytes: 256 MiB.
    pub max_document_bytes: usize,
}

/// A [`RedisConfig`] that cannot be used.
#[derive(Debug)]
pub struct RedisConfigError {
    field: &'static str,
    message: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

const USUAL_PREFIX: &str = "vexilla:";

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 6379,
            username: None,
            password: None,
            database: 0,
            tls: false,
            extra_roots: Vec::new(),
            key_prefix: USUAL_PREFIX.into(),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(5),
            lease: Duration::from_secs(15),
            max_document_bytes: 256 << 20,
        }
    }
}

impl RedisConfig {
    /// The defaults, for the Redis at this address: `redis://user:password@host:6379/0`, or `rediss://…` with TLS. All but
    /// the host may be left out.
    ///
    /// # Errors
    ///
    /// If it is no such address. The error does not show it: it may hold a password.
    pub fn from_url(url: &str) -> Result<Self, RedisConfigError> {
        let url = url.trim();
        let (tls, rest) = match url.split_once("://") {
            Some(("redis" | "valkey", rest)) => (false, rest),
            Some(("rediss" | "valkeys", rest)) => (true, rest),
            _ => {
                return Err(error(
                    "url",
                    "the address does not begin with `redis://` or `rediss://`",
                ));
            }
        };
        let info = format!("redis://{rest}").into_connection_info().map_err(|_| {
            error(
                "url",
                "the address is not of the form `redis://user:password@host:port/database`",
            )
        })?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(error("url", "the address names no host"));
        };
        let settings = info.redis_settings();
        let database = u32::try_from(settings.db())
            .map_err(|_| error("url", "the number of the database is negative or too large"))?;
        Ok(Self {
            host: host.clone(),
            port: *port,
            username: settings.username().map(Into::into),
            password: settings.password().map(Secret::new),
            database,
            tls,
            ..Self::default()
        })
    }

    /// Refuses what cannot work, as an archive that is made of it does.
    ///
    /// # Errors
    ///
    /// The first member that cannot be as it is.
    pub fn check(&self) -> Result<(), RedisConfigError> {
        self.checked().map(drop)
    }

    /// Checks what the types allow and Redis does not. Gives how TLS is spoken, if it is.
    pub(super) fn checked(&self) -> Result<Option<TlsConnector>, RedisConfigError> {
        let shortest = Duration::from_millis(100);
        let no_time = "a timeout of zero leaves Redis no time";
        match self {
            _ if self.host.is_empty() => Err(error("host", "the host is empty")),
            _ if self.username.is_some() && self.password.is_none() => {
                Err(error("password", "a user needs a password"))
            }
            _ if self.lease < shortest => Err(error("lease", "the lease is shorter than 100 ms")),
            _ if self.connect_timeout.is_zero() => Err(error("connect_timeout", no_time)),
            _ if self.response_timeout.is_zero() => Err(error("response_timeout", no_time)),
            _ => tls::connector(self),
        }
    }

    /// What it is called where it is told of: `redis 127.0.0.1:6379/0`, and the prefix after that where it is not the usual
    /// one.
    pub fn describe(&self) -> String {
        let place = format!("redis {}:{}/{}", self.host, self.port, self.database);
        if self.key_prefix == USUAL_PREFIX {
            place
        } else {
            format!("{place} with the prefix `{}`", self.key_prefix)
        }
    }
}

impl RedisConfigError {
    /// The member of [`RedisConfig`] that is wrong, or `url` for the address that it is read from.
    pub fn field(&self) -> &'static str {
        self.field
    }

    pub(super) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl fmt::Display for RedisConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Error for RedisConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn Error + 'static))
    }
}

pub(super) fn error(field: &'static str, message: &'static str) -> RedisConfigError {
    RedisConfigError { field, message, source: None }
}

#[cfg(test)]
mod tests;
