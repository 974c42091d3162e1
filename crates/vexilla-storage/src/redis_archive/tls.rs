//! TLS for the connection, without the process-wide provider that a library must not install.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::config::{RedisConfig, RedisConfigError, error};

/// Reads the certificates; `None` where the connection is not encrypted.
pub(super) fn connector(config: &RedisConfig) -> Result<Option<TlsConnector>, RedisConfigError> {
    let roots = roots(&config.extra_roots)?;
    if !config.tls {
        return match roots.as_slice() {
            [] => Ok(None),
            _ => Err(error("extra_roots", "certificates are of no use without TLS")),
        };
    }
    let no_tls =
        |cause: rustls::Error| error("tls", "TLS cannot be set up here").with_source(cause);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(no_tls)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

fn roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, RedisConfigError> {
    let pem = pem.trim_ascii();
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    // The cause would quote what was given: somebody may have put a key here.
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        _ => Err(error("extra_roots", "the extra roots are not certificates in PEM")),
    }
}
