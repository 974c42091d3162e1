//! Whether a sidecar of this machine answers, asked the way that it listens: over TCP or a Unix socket, with TLS or
//! without.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;

use crate::listener::{ListenAddress, TlsFiles};

/// Asks a sidecar that listens at this address for its health. `tls` are its own files: whoever shows the same
/// certificate is taken for it, whatever name that is for. `web_prefix` is what its paths begin with.
///
/// # Errors
///
/// If it does not answer in time, or not that it is well.
pub async fn probe(
    address: &ListenAddress,
    tls: Option<&TlsFiles>,
    web_prefix: &str,
    timeout: Duration,
) -> io::Result<()> {
    let asked = async {
        match address {
            ListenAddress::Tcp(address) => {
                ask(TcpStream::connect(reachable(*address)).await?, tls, web_prefix).await
            }
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                ask(UnixStream::connect(path).await?, tls, web_prefix).await
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    tokio::time::timeout(timeout, asked).await.map_err(|_| late())?
}

/// Who listens everywhere is asked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask<S>(stream: S, tls: Option<&TlsFiles>, web_prefix: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(files) = tls else { return exchange(stream, web_prefix).await };
    let config = Arc::new(trusting(&files.certificate)?);
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST)); // nobody looks at it
    exchange(TlsConnector::from(config).connect(name, stream).await?, web_prefix).await
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin, web_prefix: &str) -> io::Result<()> {
    let request = Request::get(format!("{web_prefix}/api/v1/health"))
        .header(header::HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let answered = sender.send_request(request);
    let answered = tokio::select! {
        answered = answered => answered,
        Err(error) = connection => Err(error),
    };
    match answered.map_err(io::Error::other)?.status() {
        StatusCode::OK => Ok(()),
        status => Err(io::Error::new(io::ErrorKind::InvalidData, format!("answered {status}"))),
    }
}

/// TLS that trusts the first certificate of this file, and nothing else.
fn trusting(certificate: &Path) -> io::Result<ClientConfig> {
    let wrong = |reason: String| {
        let message = format!("`{}` {reason}", certificate.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    };
    let own = CertificateDer::from_pem_file(certificate).map_err(|it| wrong(it.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let only = Only { own, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(only))
        .with_no_client_auth();
    Ok(config)
}

/// Takes one certificate, whose key the server must have.
#[derive(Debug)]
struct Only {
    own: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if *shown == self.own {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
