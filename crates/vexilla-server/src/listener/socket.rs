//! The sockets below: opened, accepted from, and removed at the end.

use std::io;
use std::net::{self, SocketAddr};
#[cfg(unix)]
use std::os::unix;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::{ListenAddress, UnixAccess};

/// How long accepting pauses after it failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An open port or Unix socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// An accepted connection, which no runtime knows yet.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(net::TcpStream),
    #[cfg(unix)]
    Unix(unix::net::UnixStream),
}

impl Socket {
    /// Opens it; gives the address with the port that was taken.
    pub(super) async fn open(
        address: &ListenAddress,
        access: UnixAccess,
    ) -> io::Result<(Self, ListenAddress)> {
        match address {
            ListenAddress::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let taken: SocketAddr = listener.local_addr()?;
                Ok((Self::Tcp(listener), taken.into()))
            }
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                let (listener, file) = open_unix(path, access).await?;
                Ok((Self::Unix { listener, _file: file }, address.clone()))
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => {
                let _ = access;
                let reason = "there are no Unix sockets on this platform";
                Err(io::Error::new(io::ErrorKind::Unsupported, reason))
            }
        }
    }

    /// The next connection, however often accepting fails before.
    pub(super) async fn accept(&self, address: &ListenAddress) -> Accepted {
        loop {
            match self.try_accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, %address, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot switch off delays of a connection");
                }
                stream.into_std().map(Accepted::Tcp)
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                stream.into_std().map(Accepted::Unix)
            }
        }
    }
}

/// Whether only the connection that was to be accepted is lost.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The file of a Unix socket, removed when it is dropped.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever has taken the path since then keeps it.
        if identity(&self.path).is_ok_and(|it| it == self.identity)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove the socket");
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Opens the socket beside its path and moves it there: nobody finds it before its mode is set, and a stale one is
/// replaced at one stroke.
#[cfg(unix)]
async fn open_unix(path: &Path, access: UnixAccess) -> io::Result<(UnixListener, SocketFile)> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            let reason = "the path is taken by something else than a socket";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    let _gone = std::fs::remove_file(&beside); // left by a process of the same id that was killed
    let listener = UnixListener::bind(&beside)?;
    let mode = match access {
        UnixAccess::Owner => 0o600,
        UnixAccess::Group => 0o660,
    };
    let moved = std::fs::set_permissions(&beside, PermissionsExt::from_mode(mode))
        .and_then(|()| std::fs::rename(&beside, path))
        .and_then(|()| identity(path));
    let identity = moved.inspect_err(|_| drop(std::fs::remove_file(&beside)))?;
    Ok((listener, SocketFile { path: path.to_owned(), identity }))
}
