//! Connections: accepted, served, and let go in good order.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{BoxError, Service, ServiceExt};

use super::pace::{Pace, Paced, Stage, UntilSent};
use super::socket::{Accepted, Socket};
use super::tls::Tls;
use super::{BindError, ListenAddress, ListenerConfig};

/// An address that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    address: ListenAddress,
    config: ListenerConfig,
    socket: Socket,
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Opens the address.
    pub(crate) async fn bind(
        address: &ListenAddress,
        config: &ListenerConfig,
    ) -> Result<Self, BindError> {
        let failed = |source| BindError::new(address, source);
        let tls = match &config.tls {
            Some(files) => Some(Tls::load(files.clone()).await.map_err(failed)?),
            None => None,
        };
        let (socket, taken) = Socket::open(address, config.unix_access)
            .await
            .map_err(|error| BindError::new(address, error))?;
        Ok(Self { address: taken, config: config.clone(), socket, tls })
    }

    /// Where it listens, with the port that was taken.
    pub(crate) fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Serves until `shutdown` is ready: then no connection is accepted any more, idle ones are closed, and running
    /// requests have as long as `drain` to finish. Gives the number of connections that were cut after that.
    pub(crate) async fn serve<S, B>(
        self,
        service: S,
        shutdown: impl Future<Output = ()>,
        drain: Duration,
    ) -> usize
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let Self { address, config, socket, tls } = self;
        let connections = Connections {
            tracker: TaskTracker::new(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        let slots = Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS)));
        let mut http = http1::Builder::new();
        http.max_header_size(config.max_header_bytes);
        let pace = Pace { head: config.header_timeout, idle: config.idle_timeout };
        let serving = Serving { http, pace, tls, service };

        let accept_all = async {
            loop {
                let slot = Arc::clone(&slots).acquire_owned().await;
                let accepted = socket.accept(&address).await;
                let serving = serving.clone();
                let (stopping, cut) = (connections.stopping.clone(), connections.cut.clone());
                connections.tracker.spawn(async move {
                    let _slot = slot;
                    let whole = async {
                        match accepted {
                            Accepted::Tcp(stream) => serving.connection(stream, &stopping).await,
                            #[cfg(unix)]
                            Accepted::Unix(stream) => serving.connection(stream, &stopping).await,
                        }
                    };
                    tokio::select! {
                        result = whole => drop(result.inspect_err(|error| tracing::debug!(%error, "connection broke"))),
                        () = cut.cancelled() => {}
                    }
                });
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = accept_all => {}
        }
        drop(socket);
        connections.drain(drain).await
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving<S> {
    http: http1::Builder,
    pace: Pace,
    tls: Option<Arc<Tls>>,
    service: S,
}

impl<S, B> Serving<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    async fn connection<I>(self, stream: I, stopping: &CancellationToken) -> Result<(), BoxError>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(tls) = self.tls.clone() else {
            return self.requests(stream, stopping).await;
        };
        let handshake = async { tls.acceptor().await.accept(stream).await };
        let stream = tokio::select! {
            done = tokio::time::timeout(self.pace.head, handshake) => done??,
            () = stopping.cancelled() => return Ok(()),
        };
        self.requests(stream, stopping).await
    }

    async fn requests<I>(self, stream: I, stopping: &CancellationToken) -> Result<(), BoxError>
    where
        I: AsyncRead + AsyncWrite + Send + 'static,
    {
        let stage = Stage::new();
        let (service, during) = (self.service, stage.clone());
        let service = service_fn(move |request| {
            let busy = during.busy();
            let answer = service.clone().oneshot(request);
            async move { answer.await.map(|it| it.map(|body| UntilSent::new(body, busy))) }
        });
        let stream = Box::pin(Paced::new(stream, self.pace, stage));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            result = connection.as_mut() => return Ok(result?),
            () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
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

/// Ready when serving is to end.
pub(crate) type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server whose address is open. Connections are answered once it serves.
pub struct BoundServer {
    address: ListenAddress,
    serve: Box<dyn FnOnce(Shutdown, Duration) -> BoxFuture<'static, usize> + Send + Sync>,
}

impl BoundServer {
    /// Not each request, but the whole serving is behind one virtual call.
    pub(crate) fn new<F: Future<Output = usize> + Send + 'static>(
        listener: Listener,
        serve: impl FnOnce(Listener, Shutdown, Duration) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            address: listener.address().clone(),
            serve: Box::new(|shutdown, drain| Box::pin(serve(listener, shutdown, drain))),
        }
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Serves until `shutdown` is ready: then no connection is accepted any more, idle ones are closed, and running
    /// requests have as long as `drain` to finish. Gives the number of connections that were cut after that.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> usize {
        (self.serve)(Box::pin(shutdown), drain).await
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
