//! The way to Flagr for what a sidecar does not answer itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response, Uri};
use vexilla_flagr::FlagrConfig;
use vexilla_server::{ForwardBody, ForwardConfig, ForwardError, Forwarder, HttpForwarder};

use crate::error::ConfigError;

/// A way to this Flagr within these limits. There is none through a proxy, as an untouched request cannot go there.
pub(crate) fn to(
    flagr: &FlagrConfig,
    limits: Option<ForwardConfig>,
) -> Result<Option<Arc<dyn Forwarder>>, ConfigError> {
    if flagr.proxy.is_some() {
        return Ok(None);
    }
    let wrong = |error: &dyn fmt::Display| ConfigError::new("flagr", error.to_string());
    let tls = flagr.tls().map_err(|error| wrong(&error))?;
    let (origin, prefix) = flagr.origin_and_prefix().map_err(|error| wrong(&error))?;
    let mut config = limits.unwrap_or_else(|| ForwardConfig::new(""));
    config.url = origin;
    config.connect_timeout = flagr.connect_timeout;
    let forwarder = HttpForwarder::new(config, tls).map_err(|error| wrong(&error))?;
    Ok(Some(Arc::new(Rooted { prefix, forwarder })))
}

/// A Flagr with a web prefix of its own: takes paths without one.
#[derive(Debug)]
struct Rooted {
    prefix: String,
    forwarder: HttpForwarder,
}

#[async_trait]
impl Forwarder for Rooted {
    async fn forward(
        &self,
        request: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError> {
        let request = with_path(request, |path| format!("{}{path}", self.prefix));
        self.forwarder.forward(request).await
    }
}

/// A sidecar with a web prefix: takes it off the paths.
#[derive(Debug)]
pub(crate) struct Prefixed {
    prefix: String,
    inner: Arc<dyn Forwarder>,
}

impl Prefixed {
    pub(crate) fn new(prefix: String, inner: Arc<dyn Forwarder>) -> Self {
        Self { prefix, inner }
    }
}

#[async_trait]
impl Forwarder for Prefixed {
    async fn forward(
        &self,
        request: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError> {
        let request = with_path(request, |path| {
            path.strip_prefix(self.prefix.as_str()).unwrap_or(path).to_owned()
        });
        self.inner.forward(request).await
    }
}

/// The request with another path and query.
fn with_path(
    mut request: Request<ForwardBody>,
    change: impl FnOnce(&str) -> String,
) -> Request<ForwardBody> {
    let target = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let mut changed = change(target);
    if !changed.starts_with('/') {
        changed.insert(0, '/');
    }
    // A path with another beginning is as good a path as before.
    if let Ok(uri) = Uri::try_from(changed) {
        *request.uri_mut() = uri;
    }
    request
}
