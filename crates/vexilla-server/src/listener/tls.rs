//! TLS: a certificate and its key, read anew when their files change.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

/// The files of a certificate, in PEM. When they change, new connections get the new certificate; a pair that cannot be
/// used is warned of, and the former one stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// TLS as it is at the moment.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    stamp: Stamp,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}

/// Tells one state of both files from another. A missing file is a state as well.
type Stamp = [Option<FileStamp>; 2];

/// A file that is put in another's place has the same name; its time may be the same, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    written: SystemTime,
    length: u64,
    /// Its device, its number there, and when anything about it changed last, where there are such things.
    place: (u64, u64, i64, i64),
}

/// A file of a certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS: `{}` {reason}", file.display())]
pub struct TlsError {
    file: PathBuf,
    reason: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl TlsError {
    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl TlsFiles {
    /// Reads them, and refuses what cannot be used.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used.
    pub fn check(&self) -> Result<(), TlsError> {
        acceptor(self).map(drop)
    }
}

impl Tls {
    /// Reads the files.
    pub(super) async fn load(files: TlsFiles) -> Result<Arc<Self>, Box<dyn Error + Send + Sync>> {
        let loaded = spawn_blocking(move || {
            let stamp = stamp(&files);
            let acceptor = acceptor(&files)?;
            Ok::<_, TlsError>(Self { files, loaded: Mutex::new(Loaded { stamp, acceptor }) })
        });
        Ok(Arc::new(loaded.await??))
    }

    /// What accepts the next connection. Asking for two files' times is little beside a handshake.
    pub(super) async fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let tls = Arc::clone(self);
        let current = spawn_blocking(move || tls.current()).await;
        // It fails only where the runtime ends.
        current.unwrap_or_else(|_| self.lock().acceptor.clone())
    }

    fn current(&self) -> TlsAcceptor {
        let stamp = stamp(&self.files);
        {
            let mut loaded = self.lock();
            if loaded.stamp == stamp {
                return loaded.acceptor.clone();
            }
            loaded.stamp = stamp; // so that a bad pair is read and warned of once
        }
        match acceptor(&self.files) {
            Ok(acceptor) => {
                self.lock().acceptor = acceptor;
                tracing::info!(certificate = %self.files.certificate.display(), "read the new certificate");
            }
            Err(error) => {
                let reason = error.source.as_ref();
                tracing::warn!(%error, reason, "the former certificate stays in use");
            }
        }
        self.lock().acceptor.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        let (written, length) = (metadata.modified().ok()?, metadata.len());
        Some(FileStamp { written, length, place: place(&metadata) })
    })
}

#[cfg(unix)]
fn place(metadata: &fs::Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn place(_: &fs::Metadata) -> (u64, u64, i64, i64) {
    Default::default()
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    fn failed<E: Into<Box<dyn Error + Send + Sync>>>(
        file: &Path,
        reason: &'static str,
    ) -> impl FnOnce(E) -> TlsError {
        move |source| TlsError { file: file.to_owned(), reason, source: source.into() }
    }
    let (certificate, key) = (&files.certificate, &files.key);
    let text = fs::read(certificate).map_err(failed(certificate, "cannot be read"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(failed(certificate, "is no PEM"))?;
    if chain.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::InvalidData, "no certificate in it");
        return Err(failed(certificate, "cannot be used")(nothing));
    }
    let text = fs::read(key).map_err(failed(key, "cannot be read"))?;
    let secret = PrivateKeyDer::from_pem_slice(&text).map_err(failed(key, "holds no key"))?;
    // Of our own, so that no provider has to be installed for the whole process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
    let mut config = config.map_err(failed(key, "does not go with the certificate"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
