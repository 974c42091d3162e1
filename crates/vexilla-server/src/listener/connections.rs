//! Connections: accepted, served, and let go in good order.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{self, AbortHandle, Abortable, BoxFuture};
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;
use tower::BoxError;

use super::pace::{Pace, Paced};
use super::places::Places;
use super::socket::{Accepted, Socket};
use super::stage::{Busy, Stage, UntilSent};
use super::tls::Tls;
use super::workers::Workers;
use super::{BindError, ListenAddress, ListenerConfig, LiveConfig};
use crate::host;

/// An address that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    address: ListenAddress,
    config: LiveConfig,
    socket: Socket,
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Opens the address.
    pub(crate) async fn bind(
        address: &ListenAddress,
        config: &LiveConfig,
    ) -> Result<Self, BindError> {
        let failed = |source| BindError::new(address, source);
        let now = config.now();
        let tls = match &now.tls {
            Some(files) => Some(Tls::load(files.clone()).await.map_err(failed)?),
            None => None,
        };
        let (socket, taken) = Socket::open(address, now.unix_access)
            .await
            .map_err(|error| BindError::new(address, error))?;
        Ok(Self { address: taken, config: config.clone(), socket, tls })
    }

    /// Serves until `shutdown` is ready: then no connection is accepted any more, idle ones are closed, and running
    /// requests have as long as `drain` to finish. Gives the number of connections that were cut after that.
    async fn serve<A, F, B>(
        self,
        answer: A,
        workers: Option<Workers>,
        shutdown: impl Future<Output = ()>,
        drain: Duration,
    ) -> usize
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let Self { address, config: live, socket, tls } = self;
        let tracker = TaskTracker::new();
        let mut config = live.now();
        let pace = Pace::new(config.header_timeout, config.idle_timeout);
        let room = Places::new(live.clone(), pace);
        let serving = Serving { http: http1::Builder::new(), pace, tls, answer };
        let mut serving = Arc::new(serving.within(&config));

        let accept_all = async {
            loop {
                let accepted = socket.accept(&address).await;
                let now = live.now();
                if !Arc::ptr_eq(&config, &now) {
                    config = now;
                    serving = Arc::new(serving.within(&config));
                }
                let stage = pace.stage();
                let (ender, registration) = AbortHandle::new_pair();
                let seat = room.take(stage.clone(), ender).await;
                let serving = Arc::clone(&serving);
                let connection = async move {
                    let _seat = seat;
                    if let Err(error) = serving.accepted(accepted, stage).await {
                        tracing::debug!(%error, "connection broke");
                    }
                };
                let connection =
                    tracker.track_future(Abortable::new(connection, registration).map(drop));
                match &workers {
                    Some(workers) => workers.serve(connection),
                    None => drop(tokio::spawn(connection)),
                }
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = accept_all => {}
        }
        drop(socket);
        drained(&tracker, &room, drain).await
    }
}

/// What every connection is served with.
struct Serving<A> {
    http: http1::Builder,
    pace: Pace,
    tls: Option<Arc<Tls>>,
    answer: A,
}

impl<A, F, B> Serving<A>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    /// The same within these limits.
    fn within(&self, config: &ListenerConfig) -> Self {
        let mut http = self.http.clone();
        http.max_header_size(config.max_header_bytes);
        let pace = self.pace.with(config.header_timeout, config.idle_timeout);
        Self { http, pace, tls: self.tls.clone(), answer: self.answer.clone() }
    }

    async fn accepted(&self, accepted: Accepted, stage: Stage) -> Result<(), BoxError> {
        match accepted {
            Accepted::Tcp(stream) => self.connection(TcpStream::from_std(stream)?, stage).await,
            #[cfg(unix)]
            Accepted::Unix(stream) => self.connection(UnixStream::from_std(stream)?, stage).await,
        }
    }

    async fn connection<I>(&self, stream: I, stage: Stage) -> Result<(), BoxError>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(tls) = &self.tls else {
            return self.requests(stream, stage).await;
        };
        // Behind a pointer, so that connections without it do not keep room for it.
        Box::pin(async {
            let handshake = Box::pin(async { tls.acceptor().await.accept(stream).await });
            let stream = tokio::select! {
                done = tokio::time::timeout(self.pace.head, handshake) => done??,
                () = future::poll_fn(|cx| stage.poll_stops(cx)) => return Ok(()),
            };
            self.requests(stream, stage).await
        })
        .await
    }

    async fn requests<I>(&self, stream: I, stage: Stage) -> Result<(), BoxError>
    where
        I: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (answer, during, standing) = (self.answer.clone(), stage.clone(), stage.clone());
        let service = service_fn(move |request| {
            let busy = during.busy();
            if let Some(reason) = host::refused(&request) {
                let response = refusal(reason).map(Either::Left);
                return future::Either::Left(future::ready(Ok::<_, Infallible>(sent(
                    response, busy,
                ))));
            }
            // Behind a pointer: the connection keeps room for it as long as it lives, and it is moved a few times. Combined
            // without an `async` block, which would hold it twice.
            let answered = Box::pin(answer(request));
            future::Either::Right(answered.map(|it| Ok(sent(it.map(Either::Right), busy))))
        });
        let stream = Box::pin(Paced::new(stream, self.pace, stage));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut is_told = false;
        let served = future::poll_fn(|cx| {
            standing.turn();
            if !is_told && standing.poll_stops(cx).is_ready() {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(cx)
        });
        Ok(served.await?)
    }
}

/// An answer whose connection is busy until it is sent.
fn sent<B>(response: Response<B>, busy: Busy) -> Response<UntilSent<B>> {
    if closes(&response) {
        busy.lingers();
    }
    response.map(|body| UntilSent::new(body, busy))
}

/// Whether the rest of a request is not waited for.
fn closes<B>(response: &Response<B>) -> bool {
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    is_refused && response.headers().get(header::CONNECTION).is_some_and(|it| it == "close")
}

/// Go's own answer to a request that nobody is asked to answer.
fn refusal(reason: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(reason.as_bytes())));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, text);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Has all connections end, and cuts those that are still there after `drain`. Gives their number.
async fn drained(tracker: &TaskTracker, room: &Places, drain: Duration) -> usize {
    room.stop();
    tracker.close();
    if tokio::time::timeout(drain, tracker.wait()).await.is_ok() {
        return 0;
    }
    let busy = tracker.len();
    room.cut();
    tracker.wait().await;
    busy
}

/// Ready when serving is to end.
type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

type Serve =
    dyn FnOnce(Option<Workers>, Shutdown, Duration) -> BoxFuture<'static, usize> + Send + Sync;

/// A server whose address is open. Connections are answered once it serves.
pub struct BoundServer {
    address: ListenAddress,
    workers: Option<Workers>,
    serve: Box<Serve>,
}

impl BoundServer {
    /// Not each request, but the whole serving is behind one virtual call.
    pub(crate) fn new<A, F, B>(listener: Listener, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self {
            address: listener.address.clone(),
            workers: None,
            serve: Box::new(|workers, shutdown, drain| {
                Box::pin(listener.serve(answer, workers, shutdown, drain))
            }),
        }
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Has connections served by these threads. Otherwise the runtime that it serves in does it.
    #[must_use]
    pub fn on(mut self, workers: &Workers) -> Self {
        self.workers = Some(workers.clone());
        self
    }

    /// Serves until `shutdown` is ready: then no connection is accepted any more, idle ones are closed, and running
    /// requests have as long as `drain` to finish. Gives the number of connections that were cut after that.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
        drain: Duration,
    ) -> usize {
        (self.serve)(self.workers, Box::pin(shutdown), drain).await
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
