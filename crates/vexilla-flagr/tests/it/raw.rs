//! A server that says the bytes it is told to, and then closes or falls silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What comes after the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Closes,
    IsSilent,
    /// It closes too, but the bytes came one by one.
    ByteByByte,
    /// One space after the other, for ever.
    Dawdles,
}

/// Answers the probe as a Flagr that has one snapshot, and everything else with these bytes. Gives the address.
pub(crate) async fn serve(bytes: impl Into<Vec<u8>>, then: Then) -> String {
    serve_counted(bytes, then).await.0
}

/// The same; counts the requests beside the probe that came whole.
pub(crate) async fn serve_counted(
    bytes: impl Into<Vec<u8>>,
    then: Then,
) -> (String, Arc<AtomicUsize>) {
    let (listener, address) = listen().await;
    let bytes = bytes.into();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, bytes.clone(), then, Arc::clone(&counted)));
        }
    });
    (address, count)
}

/// Answers every request with this JSON and keeps the connections. Gives the address and counts the connections.
pub(crate) async fn serve_kept(json: &'static str) -> (String, Arc<AtomicUsize>) {
    let (listener, address) = listen().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let length = json.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
                );
                while read_request(&mut stream).await.is_some() {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, count)
}

/// Answers each request, by its head, with a whole answer once that is ready. Gives the address.
pub(crate) async fn serve_by<A: Future<Output = String> + Send>(
    answer: impl Fn(String) -> A + Clone + Send + 'static,
) -> String {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let Some(head) = read_request(&mut stream).await else { return };
                let _ = stream.write_all(answer(head).await.as_bytes()).await;
            });
        }
    });
    address
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    listen().await.1
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

async fn connection(mut stream: TcpStream, bytes: Vec<u8>, then: Then, count: Arc<AtomicUsize>) {
    let Some(request) = read_request(&mut stream).await else { return };
    if request.starts_with("GET /api/v1/flags/snapshots/max_id ") {
        let probe = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"maxID\":1}";
        stream.write_all(probe).await.unwrap();
        return;
    }
    count.fetch_add(1, Ordering::SeqCst);
    // The client may hang up as soon as it has seen enough.
    let pieces = bytes.chunks(if let Then::ByteByByte = then { 1 } else { bytes.len().max(1) });
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        let _ = stream.write_all(piece).await;
    }
    match then {
        Then::Closes | Then::ByteByByte => {}
        Then::Dawdles => while stream.write_all(b" ").await.is_ok() {},
        Then::IsSilent => std::future::pending().await,
    }
}

/// The head of a request, when its body has come too: closing before that would take the answer back.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}
