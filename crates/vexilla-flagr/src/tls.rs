//! TLS for the client, without the process-wide provider that a library must not install.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use reqwest::Url;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
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

/// Whom we trust and who we are to Flagr. It may be replaced while it is in use, as where certificates are renewed from time
/// to time. Clones share it.
///
/// ```
/// # use vexilla_domain::Secret;
/// # use vexilla_flagr::{ClientCertificate, FlagrConfig, FlagrSource, SharedCertificates};
/// # fn example(roots: &[u8], chain: &[u8], key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let of_today = SharedCertificates::new(roots, None)?;
/// let mut config = FlagrConfig::new("https://flagr");
/// config.certificates = Some(of_today.clone());
/// let source = FlagrSource::new(config)?;
/// let identity = ClientCertificate::new(chain, Secret::new(key));
/// of_today.replace(&SharedCertificates::new(roots, Some(identity))?)?;
/// # drop(source);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SharedCertificates(Arc<ArcSwap<Certificates>>);

#[derive(Debug)]
struct Certificates {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Arc<CertifiedKey>>,
    /// Those of the system are read where TLS is used: a plain `http` client must not fail where there are none.
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl SharedCertificates {
    /// Certificates in PEM that are trusted beside those of the system, and who we are to a server that asks for it when the
    /// connection is made.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or if our certificate and its key do not go together.
    pub fn new(
        extra_roots: &[u8],
        client_certificate: Option<ClientCertificate>,
    ) -> Result<Self, ConfigError> {
        let identity = client_certificate.map(|it| identity(&it)).transpose()?;
        let roots = roots(extra_roots)?;
        let certificates = Certificates { roots, identity, verifier: OnceLock::new() };
        Ok(Self(Arc::new(ArcSwap::from_pointee(certificates))))
    }

    /// Whether the others can be taken over. Where TLS is used, this reads those of the system for them.
    ///
    /// # Errors
    ///
    /// If those of the system cannot be read.
    pub fn can_become(&self, others: &Self) -> Result<(), ConfigError> {
        if self.now().verifier.get().is_none() {
            return Ok(());
        }
        others.now().verifier().map(drop).map_err(|error| {
            let reason = "cannot be used, nor those of the system";
            ConfigError::new(ROOTS, "[PEM]", reason).with_source(error)
        })
    }

    /// Takes over the others, and those that the system has now, from the next connection on. Connections that are open
    /// stay, for as long as they are used.
    ///
    /// # Errors
    ///
    /// If they [cannot be taken over](Self::can_become); then all stay as they were.
    pub fn replace(&self, others: &Self) -> Result<(), ConfigError> {
        self.can_become(others)?;
        self.0.store(others.0.load_full());
        Ok(())
    }

    fn now(&self) -> arc_swap::Guard<Arc<Certificates>> {
        self.0.load()
    }
}

impl Certificates {
    fn verifier(&self) -> Result<&Verifier, Error> {
        let new = || Verifier::new_with_extra_roots(self.roots.iter().cloned(), provider());
        self.verifier.get_or_init(new).as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for SharedCertificates {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificates = self.now();
        certificates.verifier()?.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verifier()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verifier()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for SharedCertificates {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.now().identity.clone()
    }

    fn has_certs(&self) -> bool {
        self.now().identity.is_some()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// How TLS is spoken with these certificates.
pub(crate) fn read(
    certificates: &SharedCertificates,
    uses_tls: bool,
    url: &Url,
) -> Result<ClientConfig, ConfigError> {
    if certificates.has_certs() && !uses_tls {
        let reason = "is never shown to a server at an `http` address";
        return Err(ConfigError::new(CERTIFICATE, "[PEM]", reason));
    }
    let no_tls = |error: Error| {
        ConfigError::new("url", url.as_str(), "needs TLS, which cannot be set up here")
            .with_source(error)
    };
    if uses_tls {
        certificates.now().verifier().map(drop).map_err(no_tls)?;
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(certificates.clone()))
        .with_client_cert_resolver(Arc::new(certificates.clone()));
    // A session that is resumed would bring back certificates that were replaced.
    config.resumption = Resumption::disabled();
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

fn identity(certificate: &ClientCertificate) -> Result<Arc<CertifiedKey>, ConfigError> {
    let chain = certificates(CERTIFICATE, &certificate.chain)?;
    let no_pair = |error: Error| {
        ConfigError::new(CERTIFICATE, "[PEM]", "and its key do not go together").with_source(error)
    };
    // The cause would quote the key.
    let key = PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes())
        .map_err(|_| ConfigError::new(KEY, "[redacted]", "is not a private key in PEM"))?;
    CertifiedKey::from_der(chain, key, &provider()).map(Arc::new).map_err(no_pair)
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
