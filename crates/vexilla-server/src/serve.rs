//! The sidecar on its port.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::listener::{BindError, BoundServer, ListenAddress, Listener, Workers};
use crate::sidecar::Sidecar;

/// A sidecar with an open port: a [`BoundServer`] that is not a Unix socket. Connections are answered once it serves.
#[derive(Debug)]
pub struct BoundSidecar {
    bound: BoundServer,
    local_addr: SocketAddr,
}

impl Sidecar {
    /// Opens the port. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, for instance because another program does.
    pub async fn bind(self, address: SocketAddr) -> Result<BoundSidecar, BindError> {
        let bound = self.listen(&address.into()).await?;
        let local_addr = match bound.address() {
            ListenAddress::Tcp(taken) => *taken,
            ListenAddress::Unix(_) => address,
        };
        Ok(BoundSidecar { bound, local_addr })
    }

    /// Opens a port or a Unix socket.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, for instance because another program does.
    pub async fn listen(self, address: &ListenAddress) -> Result<BoundServer, BindError> {
        let listener = Listener::bind(address, &self.listener()).await?;
        Ok(BoundServer::new(listener, move |it| self.answer(it)))
    }
}

impl BoundSidecar {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Has connections served by these threads, as [`BoundServer::on`] does.
    #[must_use]
    pub fn on(mut self, workers: &Workers) -> Self {
        self.bound = self.bound.on(workers);
        self
    }

    /// Serves as [`BoundServer::serve`] does.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> usize {
        self.bound.serve(shutdown, drain).await
    }
}
