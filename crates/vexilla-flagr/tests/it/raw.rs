//! A server that says the bytes it is told to, and then closes or falls silent.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What comes after the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Closes,
    IsSilent,
}

/// Answers the probe as a Flagr that has one snapshot, and everything else with these bytes. Gives the address.
pub(crate) async fn serve(bytes: impl Into<Vec<u8>>, then: Then) -> String {
    let (listener, address) = listen().await;
    let bytes = bytes.into();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, bytes.clone(), then));
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

async fn connection(mut stream: TcpStream, bytes: Vec<u8>, then: Then) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    if request.starts_with(b"GET /api/v1/flags/snapshots/max_id ") {
        let probe = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"maxID\":1}";
        stream.write_all(probe).await.unwrap();
        return;
    }
    // The client may hang up as soon as it has seen enough.
    let _ = stream.write_all(&bytes).await;
    match then {
        Then::Closes => {}
        Then::IsSilent => std::future::pending().await,
    }
}
