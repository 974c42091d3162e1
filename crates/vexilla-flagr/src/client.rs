//! The HTTP client: one pool of connections for reads and evaluations.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect, retry};
use vexilla_domain::SourceError;

use crate::auth::SharedAuth;
use crate::{ConfigError, FlagrConfig, RequestHeaders, error, proxy, tls};

/// A connection that was not used for this long is not used again.
///
/// Flagr closes idle connections after 10 s. An evaluation that goes out just then is lost, and is not sent twice.
const POOL_IDLE: Duration = Duration::from_secs(8);

/// Names and values behind the `?` of a request.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

/// Flagr's HTTP API at one address.
pub(crate) struct Client {
    http: reqwest::Client,
    credentials: SharedAuth,
    /// `http://flagr:18000`
    origin: String,
    /// `/prefix`, or empty.
    prefix: String,
    request_headers: Option<RequestHeaders>,
}

impl Client {
    pub(crate) fn new(config: FlagrConfig) -> Result<Self, ConfigError> {
        let url = config.check()?;
        let certificates = config.shared_certificates()?;
        let credentials = SharedAuth::new(config.auth)?;
        let proxy = config.proxy.map(proxy::read).transpose()?;
        let uses_tls = url.scheme() == "https" || proxy.as_ref().is_some_and(|it| it.uses_tls);
        let tls = tls::read(&certificates, uses_tls, &url)?;

        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .user_agent(concat!("vexilla/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .gzip(true);
        if let Some(proxy) = proxy {
            http = http.proxy(proxy.route);
        }
        let http = http.build().map_err(|error| {
            ConfigError::new("url", url.as_str(), "gets no HTTP client").with_source(error)
        })?;
        let (origin, prefix) = split(&url);
        let request_headers = config.request_headers;
        Ok(Self { http, credentials, origin, prefix, request_headers })
    }

    /// The address, for people.
    pub(crate) fn address(&self) -> String {
        format!("{}{}", self.origin, self.prefix)
    }

    /// A call of this Flagr as it stands in messages: `GET /prefix/api/v1/health`.
    pub(crate) fn call(&self, method: &Method, path: &str) -> String {
        format!("{method} {}{path}", self.prefix)
    }

    /// Whether requests carry credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials.now().given()
    }

    /// The error for a read that was answered with another status than 200.
    pub(crate) fn refused(&self, path: &str, status: StatusCode) -> SourceError {
        error::refused(&self.call(&Method::GET, path), status, self.has_credentials())
    }

    /// The header that carries the credentials, where it is named by the configuration.
    pub(crate) fn own_header(&self) -> Option<HeaderName> {
        self.credentials.now().header().cloned()
    }

    /// Whether requests say of themselves which trace they are part of.
    pub(crate) fn tells_trace(&self) -> bool {
        self.request_headers.is_some()
    }

    /// A request for a path of Flagr's API, `/api/v1/health`. What is asked behind it stands in no message.
    pub(crate) fn request(&self, method: Method, path: &str, query: Query<'_>) -> RequestBuilder {
        let mut url = format!("{}{}{path}", self.origin, self.prefix);
        if !query.is_empty() {
            let start = url.len() + 1;
            url.push('?');
            let mut pairs = form_urlencoded::Serializer::for_suffix(url, start);
            url = pairs.extend_pairs(query).finish();
        }
        let mut request = self.http.request(method, url).header(ACCEPT, "application/json");
        if let Some(more) = &self.request_headers {
            request = request.headers(more.headers());
        }
        self.credentials.now().apply(request)
    }
}

/// Only what is no secret: the HTTP client would print the proxy's password.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// `http://flagr:18000/prefix/` as `http://flagr:18000` and `/prefix`.
pub(crate) fn split(url: &Url) -> (String, String) {
    let prefix = url.path().trim_end_matches('/');
    (url.origin().ascii_serialization(), prefix.to_owned())
}
