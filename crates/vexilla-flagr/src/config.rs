//! Where Flagr is and how long it may take.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::Url;

use crate::{
    Auth, ClientCertificate, ExportFilter, HttpProxy, RequestHeaders, SharedCertificates, client,
    tls,
};

/// Where Flagr is, who asks, and the limits of each request.
///
/// Fill it in, then give it to [`FlagrSource::new`](crate::FlagrSource::new), which checks it.
#[derive(Clone)]
#[non_exhaustive]
pub struct FlagrConfig {
    /// Flagr's address, `http://flagr:18000`, with the path prefix when it has one (`FLAGR_WEB_PREFIX`), without
    /// `/api/v1`. A slash at the end does no harm.
    pub url: String,
    /// How requests are authenticated; by default not at all.
    ///
    /// Flagr's gates protect the export by default, also where evaluations are open.
    pub auth: Auth,
    /// How long connecting may take: 1 s.
    pub connect_timeout: Duration,
    /// How long a small call may take in all (the change probe, health): 5 s. Attempts and the pauses between them
    /// share it.
    pub timeout: Duration,
    /// How long a bulk read (the export) may go without a byte: 5 s.
    pub bulk_idle_timeout: Duration,
    /// How long a bulk read may take in all, with all attempts: 60 s.
    pub bulk_timeout: Duration,
    /// The largest small answer in bytes, after decompression: 64 KiB.
    pub max_answer_bytes: usize,
    /// The largest export in bytes, after decompression: 64 MiB.
    pub max_export_bytes: usize,
    /// How far Flagr's export may be behind its database: 3.5 s.
    ///
    /// Flagr's refresh interval (`FLAGR_EVALCACHE_REFRESHINTERVAL`, 3 s by default) and the time that it needs to load
    /// its flags. If it is shorter than that, a change may be missed until the next one or until all flags are read
    /// again; if it is longer, the export is read a few times more after a deletion.
    pub export_lag: Duration,
    /// Which flags Flagr's export is asked for; by default all. The lag then passes for each change that is kept from us.
    pub export_filter: Option<ExportFilter>,
    /// How long Flagr may take to evaluate: 5 s.
    ///
    /// It is a limit on the whole call, which for a batch may be several requests, and what somebody who asks for a flag
    /// waits for at worst while Flagr is silent. An evaluation is sent once.
    pub evaluation_timeout: Duration,
    /// The largest answer to an evaluation or a batch in bytes, after decompression: 16 MiB.
    pub max_evaluation_bytes: usize,
    /// How many evaluations (entities times flags) one batch request may ask for: 1,000. More become several requests.
    ///
    /// Flagr's own limit (`FLAGR_EVAL_BATCH_SIZE`) is learnt from its refusal where it is smaller.
    pub max_batch_evaluations: usize,
    /// How often a read is sent again when Flagr gave no answer, or a 408, 429 or 5xx: 3 times. Evaluations never are.
    pub retries: u32,
    /// The longest pause before a read is sent again: 100 ms. It doubles with each attempt; the actual pause is a random
    /// part of it.
    pub retry_base: Duration,
    /// What that pause may grow to: 2 s.
    pub retry_max: Duration,
    /// The longest pause that Flagr may ask for with `Retry-After`: 10 s. One who asks for more is not asked again within
    /// the call.
    pub retry_after_max: Duration,
    /// Certificates in PEM that are trusted beside those of the system; none by default.
    pub extra_roots: Vec<u8>,
    /// Who we are to a server that asks for it when the connection is made; by default nobody.
    pub client_certificate: Option<ClientCertificate>,
    /// Certificates that may be replaced while they are in use, in place of `extra_roots` and `client_certificate`; by
    /// default none.
    pub certificates: Option<SharedCertificates>,
    /// The proxy that all requests go through. None by default: the environment is not asked.
    pub proxy: Option<HttpProxy>,
    /// Adds headers to each request, such as the trace it belongs to; by default none.
    pub request_headers: Option<RequestHeaders>,
}

impl FlagrConfig {
    /// The defaults, for the Flagr at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            auth: Auth::None,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            bulk_idle_timeout: Duration::from_secs(5),
            bulk_timeout: Duration::from_secs(60),
            max_answer_bytes: 64 << 10,
            max_export_bytes: 64 << 20,
            export_lag: Duration::from_millis(3500),
            export_filter: None,
            evaluation_timeout: Duration::from_secs(5),
            max_evaluation_bytes: 16 << 20,
            max_batch_evaluations: 1000,
            retries: 3,
            retry_base: Duration::from_millis(100),
            retry_max: Duration::from_secs(2),
            retry_after_max: Duration::from_secs(10),
            extra_roots: Vec::new(),
            client_certificate: None,
            certificates: None,
            proxy: None,
            request_headers: None,
        }
    }

    /// The address as it is asked: `http://flagr:18000`, and the path prefix, `/flags`, or nothing.
    ///
    /// # Errors
    ///
    /// If the configuration cannot work.
    pub fn origin_and_prefix(&self) -> Result<(String, String), ConfigError> {
        Ok(client::split(&self.check()?))
    }

    /// How TLS is spoken with this Flagr, for other clients of the same server. It names no HTTP version.
    ///
    /// # Errors
    ///
    /// If the configuration cannot work.
    pub fn tls(&self) -> Result<rustls::ClientConfig, ConfigError> {
        let url = self.check()?;
        let uses_tls = url.scheme() == "https";
        let mut tls = tls::read(&self.shared_certificates()?, uses_tls, &url)?;
        tls.alpn_protocols.clear();
        Ok(tls)
    }

    /// The certificates that may be replaced, else those that cannot be.
    pub(crate) fn shared_certificates(&self) -> Result<SharedCertificates, ConfigError> {
        match &self.certificates {
            Some(shared) => Ok(shared.clone()),
            None => SharedCertificates::new(&self.extra_roots, self.client_certificate.clone()),
        }
    }

    /// Checks the numbers, reads the address.
    pub(crate) fn check(&self) -> Result<Url, ConfigError> {
        let durations = [
            ("connect_timeout", self.connect_timeout),
            ("timeout", self.timeout),
            ("bulk_idle_timeout", self.bulk_idle_timeout),
            ("bulk_timeout", self.bulk_timeout),
            ("export_lag", self.export_lag),
            ("evaluation_timeout", self.evaluation_timeout),
            ("retry_base", self.retry_base),
            ("retry_max", self.retry_max),
            ("retry_after_max", self.retry_after_max),
        ];
        if let Some((field, _)) = durations.into_iter().find(|(_, duration)| duration.is_zero()) {
            return Err(ConfigError::new(field, "0s", "leaves no time"));
        }
        let sizes = [
            ("max_answer_bytes", self.max_answer_bytes),
            ("max_export_bytes", self.max_export_bytes),
            ("max_evaluation_bytes", self.max_evaluation_bytes),
            ("max_batch_evaluations", self.max_batch_evaluations),
        ];
        if let Some((field, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::new(field, "0", "leaves no room for an answer"));
        }
        address("url", &self.url, "holds credentials: give them as `auth`")
    }
}

impl fmt::Debug for FlagrConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagrConfig")
            .field("url", &redacted(&self.url))
            .field("auth", &self.auth)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// A configuration that cannot work: which field, its value, and why.
#[derive(Debug, thiserror::Error)]
#[error("{field}: `{value}` {reason}")]
pub struct ConfigError {
    field: &'static str,
    value: Box<str>,
    reason: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConfigError {
    pub(crate) fn new(
        field: &'static str,
        value: impl Into<Box<str>>,
        reason: &'static str,
    ) -> Self {
        Self { field, value: value.into(), reason, source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The field of [`FlagrConfig`] that is wrong, or the member of it: `client_certificate.key`, `proxy.user`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// Reads the address of a server.
pub(crate) fn address(
    field: &'static str,
    text: &str,
    holds_credentials: &'static str,
) -> Result<Url, ConfigError> {
    let wrong = |reason| ConfigError::new(field, redacted(text), reason);
    if !text.contains("://") {
        return Err(wrong("has no scheme: put `http://` or `https://` in front"));
    }
    let url = Url::parse(text).map_err(|error| wrong("is not a URL").with_source(error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("has another scheme than `http` and `https`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(holds_credentials));
    }
    if url.query().is_some() {
        return Err(wrong("has a query"));
    }
    if url.fragment().is_some() {
        return Err(wrong("has a fragment"));
    }
    Ok(url)
}

/// The text of a URL without what may be secret in it, also where it is no URL.
///
/// Everything up to the last `@` may be part of a password that was not escaped, and a query may hold a token.
pub(crate) fn redacted(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('@') => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    let (credentials, rest) =
        rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("[redacted]@", rest));
    match rest.find(['?', '#']).and_then(|at| rest.split_at_checked(at + 1)) {
        Some((place, _)) => format!("{scheme}{credentials}{place}[redacted]"),
        None => format!("{scheme}{credentials}{rest}"),
    }
}

#[cfg(test)]
mod tests;
