//! The sidecar on its port.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::listener::{BindError, BoundServer, ListenAddress, Listener};
use crate::sidecar::Sidecar;

/// A sidecar with an open port. Connections are answered once it serves.
#[derive(Debug)]
pub struct BoundSidecar {
    sidecar: Sidecar,
    listener: Listener,
    local_addr: SocketAddr,
}

impl Sidecar {
    /// Opens the port. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, for instance because another program does.
    pub async fn bind(self, address: SocketAddr) -> Result<BoundSidecar, BindError> {
        let listener = Listener::bind(&address.into(), &self.listener()).await?;
        let local_addr = match listener.address() {
            ListenAddress::Tcp(taken) => *taken,
            ListenAddress::Unix(_) => address,
        };
        Ok(BoundSidecar { sidecar: self, listener, local_addr })
    }

    /// Opens a port or a Unix socket.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, for instance because another program does.
    pub async fn listen(self, address: &ListenAddress) -> Result<BoundServer, BindError> {
        let listener = Listener::bind(address, &self.listener()).await?;
        Ok(BoundServer::new(listener, |listener, shutdown, drain| async move {
            listener.serve(move |it| self.answer(it), shutdown, drain).await
        }))
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
        self.listener.serve(move |it| self.sidecar.answer(it), shutdown, drain).await
    }
}
