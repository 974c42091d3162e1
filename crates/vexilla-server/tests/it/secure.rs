//! TLS: certificates that change while the server runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;
use vexilla_server::{Admin, AdminConfig, BindError, SidecarConfig, TlsFiles, probe};

use crate::loopback::{Served, read_all, read_until};
use crate::operator::{FakeOperator, clock};

/// A certificate and its key, in PEM; and the certificate as it is shown to clients.
struct Pair {
    certificate: String,
    key: String,
    shown: CertificateDer<'static>,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Pair {
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
        shown: made.cert.der().clone(),
    }
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    fn write(&self, certificate: &str, key: &str) {
        std::fs::write(self.certificate(), certificate).unwrap();
        std::fs::write(self.key(), key).unwrap();
    }

    async fn serve(&self, change: impl FnOnce(&mut AdminConfig)) -> Result<Served, BindError> {
        let mut config = AdminConfig::default();
        config.listener.tls = Some(TlsFiles { certificate: self.certificate(), key: self.key() });
        change(&mut config);
        let admin = Admin::new(Arc::new(FakeOperator::default()), clock(), config);
        let bound = admin.bind(&"127.0.0.1:0".parse().unwrap()).await?;
        Ok(Served::start(bound, Duration::from_secs(10)))
    }
}

/// Asks for the health over TLS, trusting these certificates; gives the one that the server showed.
async fn shown(server: &Served, trusted: &[&Pair]) -> CertificateDer<'static> {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.shown.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, server.connect().await).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let answer = read_until(&mut stream, "{\"status\":\"ok\"}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_certificate_is_read_anew_when_its_files_change() {
    let files = Files::new();
    let (old, new) = (pair(), pair());
    files.write(&old.certificate, &old.key);
    let server = files.serve(|_| {}).await.unwrap();
    let both = [&old, &new];
    assert_eq!(shown(&server, &both).await, old.shown);
    files.write(&new.certificate, &new.key);
    assert_eq!(shown(&server, &both).await, new.shown);
    // What cannot be used changes nothing.
    for (certificate, key) in [
        (&*old.certificate, &*new.key),
        ("nonsense", &new.key),
        (&new.certificate, "nonsense"),
        ("", ""),
    ] {
        files.write(certificate, key);
        assert_eq!(shown(&server, &both).await, new.shown, "{certificate}");
    }
    std::fs::remove_file(files.key()).unwrap();
    assert_eq!(shown(&server, &both).await, new.shown);
    files.write(&old.certificate, &old.key);
    assert_eq!(shown(&server, &both).await, old.shown);
    assert_eq!(server.stop().await.unwrap(), 0);
}

/// As a tool does it that keeps the times of what it copies.
#[cfg(unix)]
#[tokio::test]
async fn a_certificate_of_the_same_age_and_length_is_another_one() {
    let files = Files::new();
    let old = pair();
    let new = loop {
        let new = pair();
        if new.certificate.len() == old.certificate.len() && new.key.len() == old.key.len() {
            break new;
        }
    };
    files.write(&old.certificate, &old.key);
    let written = std::fs::metadata(files.certificate()).unwrap().modified().unwrap();
    let server = files.serve(|_| {}).await.unwrap();
    let both = [&old, &new];
    assert_eq!(shown(&server, &both).await, old.shown);
    files.write(&new.certificate, &new.key);
    for path in [files.certificate(), files.key()] {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(written).unwrap();
    }
    assert_eq!(shown(&server, &both).await, new.shown);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_an_error_at_once() {
    let files = Files::new();
    let made = pair();
    let refused = async |certificate: &str, key: &str| {
        files.write(certificate, key);
        let error = files.serve(|_| {}).await.err().unwrap();
        std::error::Error::source(&error).unwrap().to_string()
    };
    assert!(refused("", &made.key).await.ends_with("server.pem` cannot be used"));
    assert!(refused(&made.certificate, "").await.ends_with("server.key` holds no key"));
    let other = pair();
    let reason = refused(&made.certificate, &other.key).await;
    assert!(reason.ends_with("server.key` does not go with the certificate"), "{reason}");
    std::fs::remove_file(files.certificate()).unwrap();
    let error = files.serve(|_| {}).await.err().unwrap();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.ends_with("server.pem` cannot be read"), "{reason}");
}

#[tokio::test]
async fn who_does_not_speak_tls_gets_nothing() {
    let files = Files::new();
    let made = pair();
    files.write(&made.certificate, &made.key);
    let server =
        files.serve(|it| it.listener.header_timeout = Duration::from_millis(200)).await.unwrap();
    let answer = server.exchange("GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!answer.contains("HTTP/1.1"), "{answer}");
    let mut silent = server.connect().await;
    assert_eq!(read_all(&mut silent).await, "", "given up");
    assert_eq!(shown(&server, &[&made]).await, made.shown);
}

#[tokio::test]
async fn health_is_asked_however_it_is_served() {
    let files = Files::new();
    let (own, another) = (pair(), pair());
    files.write(&own.certificate, &own.key);
    let tls = TlsFiles { certificate: files.certificate(), key: files.key() };
    let soon = Duration::from_secs(10);
    let unix = format!("unix:{}", files.folder.path().join("s.sock").display());
    for address in ["127.0.0.1:0", "0.0.0.0:0", &*unix] {
        let mut config = SidecarConfig::default();
        config.web_prefix = "/flags".to_owned();
        config.listener.tls = Some(tls.clone());
        let sidecar = crate::fake::Rig::new(|it| *it = config).sidecar;
        let bound = sidecar.listen(&address.parse().unwrap()).await.unwrap();
        let server = Served::start(bound, soon);
        probe(&server.address, Some(&tls), "/flags", soon).await.unwrap();
        let error = probe(&server.address, Some(&tls), "", soon).await.unwrap_err();
        assert!(error.to_string().contains("404"), "{error}");
        let other = files.folder.path().join("another.pem");
        std::fs::write(&other, &another.certificate).unwrap();
        let other = TlsFiles { certificate: other, key: files.key() };
        assert!(probe(&server.address, Some(&other), "/flags", soon).await.is_err());
        assert!(probe(&server.address, None, "/flags", soon).await.is_err());
    }
    let nobody = "127.0.0.1:1".parse().unwrap();
    assert!(probe(&nobody, None, "", soon).await.is_err());
}
