//! Connections: accepted, served, and let go in good order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::sidecar::Sidecar;

/// How long accepting pauses after it failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

impl BindError {
    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A sidecar with an open port. Connections are answered once it serves.
#[derive(Debug)]
pub struct BoundSidecar {
    sidecar: Sidecar,
    listener: TcpListener,
    local_addr: SocketAddr,
}

impl Sidecar {
    /// Opens the port. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, for instance because another program does.
    pub async fn bind(self, address: SocketAddr) -> Result<BoundSidecar, BindError> {
        let failed = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        Ok(BoundSidecar { sidecar: self, listener, local_addr })
    }
}

impl BoundSidecar {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready: then no connection is accepted any more, idle ones are closed, and running
    /// requests have as long as `drain` to finish. Gives the number of connections that were cut after that.
    pub async fn serve(self, shutdown: impl Future<Output = ()>, drain: Duration) -> usize {
        let Self { sidecar, listener, local_addr } = self;
        let connections = Connections {
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        let slots =
            Arc::new(Semaphore::new(sidecar.config().max_connections.min(Semaphore::MAX_PERMITS)));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(sidecar.config().read_timeout);
        let service = TowerToHyperService::new(sidecar.service());

        let accept_all = async {
            loop {
                let slot = Arc::clone(&slots).acquire_owned().await;
                let stream = accept(&listener, local_addr).await;
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                let (stopping, cut) = (connections.stopping.clone(), connections.cut.clone());
                connections.tracker.spawn(async move {
                    let _slot = slot;
                    let mut connection = pin!(connection);
                    let finish = async {
                        tokio::select! {
                            result = connection.as_mut() => return result,
                            () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
                        }
                        connection.await
                    };
                    tokio::select! {
                        result = finish => drop(result.inspect_err(|error| tracing::debug!(%error, "connection broke"))),
                        () = cut.cancelled() => {}
                    }
                });
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = accept_all => {}
        }
        drop(listener);
        connections.drain(drain).await
    }
}

/// The open connections.
struct Connections {
    tracker: TaskTracker,
    stopping: CancellationToken,
    cut: CancellationToken,
}

impl Connections {
    async fn drain(self, drain: Duration) -> usize {
        self.stopping.cancel();
        self.tracker.close();
        if tokio::time::timeout(drain, self.tracker.wait()).await.is_ok() {
            return 0;
        }
        let busy = self.tracker.len();
        self.cut.cancel();
        self.tracker.wait().await;
        busy
    }
}

/// The next connection, however often accepting fails before.
async fn accept(listener: &TcpListener, local_addr: SocketAddr) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot switch off delays of a connection");
                }
                return stream;
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, %local_addr, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether only the connection that was to be accepted is lost.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
