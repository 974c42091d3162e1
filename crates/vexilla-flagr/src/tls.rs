//! TLS for the client, without the process-wide provider that a library must not install.

use std::sync::Arc;

use reqwest::Url;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use crate::ConfigError;
use vexilla_domain::Secret;

const ROOTS: &str = "extra_roots";
const CERTIFICATE: &str = "client_certificate";
const KEY: &str = "client_certificate.key";

/// A certificate and its key, both in PEM: who we are to a server that asks for it when the connection is made.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    chain: Vec<u8>,
    key: Secret,
}

impl ClientCertificate {
    /// Our certificate, then those that lead to one that the server trusts; and the key of ours.
    pub fn new(chain: impl Into<Vec<u8>>, key: Secret) -> Self {
        Self { chain: chain.into(), key }
    }
}

/// Reads and checks all certificates, also where they are of no use. Those of the system are only read where TLS is
/// used: a plain `http` client must not fail where there are none.
pub(crate) fn read(
    extra_roots: &[u8],
    client_certificate: Option<ClientCertificate>,
    uses_tls: bool,
    url: &Url,
) -> Result<ClientConfig, ConfigError> {
    let roots = roots(extra_roots)?;
    if client_certificate.is_some() && !uses_tls {
        let reason = "is never shown to a server at an `http` address";
        return Err(ConfigError::new(CERTIFICATE, "[PEM]", reason));
    }
    let no_tls = |error: Error| {
        ConfigError::new("url", url.as_str(), "needs TLS, which cannot be set up here")
            .with_source(error)
    };

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder: ConfigBuilder<ClientConfig, WantsVerifier> =
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(no_tls)?;
    let builder = if uses_tls {
        let verifier = Verifier::new_with_extra_roots(roots, provider).map_err(no_tls)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = match client_certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let (chain, key) = identity(&certificate)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                ConfigError::new(CERTIFICATE, "[PEM]", "and its key do not go together")
                    .with_source(error)
            })?
        }
    };
    // A configuration that is handed over ready-made must say itself which HTTP versions it speaks.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let roots = match pem.trim_ascii() {
        [] => return Ok(Vec::new()),
        pem => certificates(ROOTS, pem)?,
    };
    for (index, root) in roots.iter().enumerate() {
        RootCertStore::empty().add(root.clone()).map_err(|error| {
            let which = format!("certificate {}", index + 1);
            ConfigError::new(ROOTS, which, "cannot be read").with_source(error)
        })?;
    }
    Ok(roots)
}

fn identity(
    certificate: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ConfigError> {
    let chain = certificates(CERTIFICATE, &certificate.chain)?;
    // The cause would quote the key.
    let key = PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes())
        .map_err(|_| ConfigError::new(KEY, "[redacted]", "is not a private key in PEM"))?;
    Ok((chain, key))
}

fn certificates(
    field: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    // No text of it is shown: somebody may have put a key here.
    let shown = || format!("{} bytes", pem.len());
    match read {
        Ok(read) if read.is_empty() => {
            Err(ConfigError::new(field, shown(), "hold no certificate in PEM"))
        }
        Ok(read) => Ok(read),
        Err(_) => Err(ConfigError::new(field, shown(), "are not PEM")),
    }
}

#[cfg(test)]
mod tests;
