//! The HTTP client that telemetry is sent with, and its TLS.

use std::error::Error;
use std::sync::Arc;

use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::error::SettingsError;
use super::settings::Signal;

/// A client that blocks, for a thread that does nothing else. One that does not would need a runtime in that thread.
pub(super) fn http_client(signal: &Signal) -> Result<Client, SettingsError> {
    let broken = |error: Box<dyn Error + Send + Sync>| {
        SettingsError::new("endpoint", &signal.endpoint, "needs TLS, which cannot be set up here")
            .caused_by(error)
    };
    let config = config(signal).map_err(broken)?;
    let timeout = signal.timeout;
    // The client must not be made in a thread of a runtime: it has one of its own, and waits for that.
    let made = std::thread::Builder::new().name("vexilla-otlp-start".into()).spawn(move || {
        // A collector has no business to send us, and our credentials, elsewhere.
        let builder = Client::builder().tls_backend_preconfigured(config).redirect(Policy::none());
        builder.timeout(timeout).build()
    });
    let made = made.map_err(|error| broken(error.into()))?.join();
    let made = made.map_err(|_| broken("the thread that makes the client panicked".into()))?;
    made.map_err(|error| broken(error.into()))
}

/// The process-wide provider is not used: a library must not install one. The system's certificates are only read where
/// they are needed: there may be none.
fn config(signal: &Signal) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    if !signal.is_secure() {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&signal.extra_roots).collect();
    let verifier = Verifier::new_with_extra_roots(roots?, provider)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let Some((chain, key)) = &signal.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes())?;
    Ok(builder.with_client_auth_cert(chain?, key)?)
}
