//! TLS for the client, without the process-wide provider that a library must not install.

use std::sync::Arc;

use rustls::{ClientConfig, Error, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// TLS with the system's certificates, for an `https` address.
pub(crate) fn with_system_roots() -> Result<ClientConfig, Error> {
    Ok(over_http(builder()?.with_platform_verifier()?.with_no_client_auth()))
}

/// TLS that trusts nobody, for an `http` address: the client wants one, and must not fail where no certificates are.
pub(crate) fn unused() -> Result<ClientConfig, Error> {
    Ok(over_http(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth()))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

/// A configuration that is handed over ready-made must say itself which HTTP versions it speaks.
fn over_http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
