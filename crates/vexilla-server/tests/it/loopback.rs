//! A bound server that serves until it is told to stop, and raw bytes to and from it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vexilla_server::{BoundServer, ListenAddress};

pub(crate) struct Served {
    pub(crate) address: ListenAddress,
    stop: oneshot::Sender<()>,
    task: JoinHandle<usize>,
}

impl Served {
    pub(crate) fn start(bound: BoundServer, drain: Duration) -> Self {
        let address = bound.address().clone();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(bound.serve(async { drop(stopped.await) }, drain));
        Self { address, stop, task }
    }

    pub(crate) fn port(&self) -> SocketAddr {
        match self.address {
            ListenAddress::Tcp(address) => address,
            ListenAddress::Unix(_) => unreachable!("no port"),
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.port()).await.unwrap()
    }

    /// Sends bytes on a new connection, then nothing more; gives all that comes back.
    pub(crate) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may have answered and closed before it has read everything.
        let _sent = stream.write_all(bytes.as_ref()).await;
        let _shut = stream.shutdown().await;
        read_all(&mut stream).await
    }

    /// Begins to stop; the result is ready at its end.
    pub(crate) fn stop(self) -> JoinHandle<usize> {
        self.stop.send(()).unwrap();
        self.task
    }
}

pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _end = stream.read_to_end(&mut answer).await; // a reset ends it as well
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer whose end is known by its last bytes.
pub(crate) async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}
