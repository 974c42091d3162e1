//! Connections over loopback sockets: slow, cut, oversized and malformed requests, keep-alive, stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vexilla_server::{BindError, Sidecar, SidecarConfig};

use crate::fake::Rig;

/// A sidecar that serves until it is told to stop.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<usize>,
}

impl Server {
    async fn start(sidecar: Sidecar, drain: Duration) -> Self {
        let bound = sidecar.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = bound.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(bound.serve(async { drop(stopped.await) }, drain));
        Self { address, stop, served }
    }

    async fn with(change: impl FnOnce(&mut SidecarConfig)) -> Self {
        Self::start(Rig::new(change).sidecar, Duration::from_secs(10)).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection, then nothing more; gives all that comes back.
    async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may have answered and closed before it has read everything.
        let _sent = stream.write_all(bytes.as_ref()).await;
        let _shut = stream.shutdown().await;
        read_all(&mut stream).await
    }

    async fn stop(self) -> usize {
        self.stop.send(()).unwrap();
        self.served.await.unwrap()
    }

    async fn assert_alive(&self) {
        let answer = self.exchange(get("/api/v1/health")).await;
        assert!(answer.ends_with("{\"status\":\"OK\"}\n"), "{answer}");
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

fn post(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _end = stream.read_to_end(&mut answer).await; // a reset ends it as well
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer whose end is known by its last bytes.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_process_goes_on() {
    let server = Server::with(|_| {}).await;
    for (bytes, status) in [
        (&b"\0\0\0\0\r\n\r\n"[..], "400"),
        (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", "400"),
        (b"GET / HTTP/9.9\r\n\r\n", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: a\xffb/c\r\ncontent-length: 2\r\n\r\n{}", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "400"),
        (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n", "400"),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n x: folded\r\n\r\n", "400"),
        (b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx : spaced\r\n\r\n", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-length: 2, 2\r\n\r\n{}", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-length: +2\r\n\r\n{}", "400"),
        (b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n{}", "400"),
        (b"POST /api/v1/evaluation HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        (b"CONNECT flagr:18000 HTTP/1.1\r\nhost: flagr:18000\r\n\r\n", "404"),
    ] {
        let answer = server.exchange(bytes).await;
        let text = String::from_utf8_lossy(bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{text}: {answer}");
    }
    let answer = server.exchange(format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer = server.exchange(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000))).await;
    assert!(answer.starts_with("HTTP/1.1 414"), "{answer}");
    server.assert_alive().await;
}

/// Where two lengths are given, the chunks alone say where a body ends, here and for Flagr.
#[tokio::test]
async fn a_request_with_two_lengths_is_one_request() {
    for lengths in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 400",
    ] {
        let rig = Rig::new(|_| {});
        let engine = Arc::clone(&rig.engine);
        let server = Server::start(rig.sidecar, Duration::from_secs(10)).await;
        let request = format!(
            "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lengths}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        let answer = server.exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert_eq!(engine.asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_repaired_as_go_does() {
    let server = Server::with(|_| {}).await;
    let body = b"{\"flagKey\":\"\xff\xfe\"}";
    let head = format!(
        "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = server.exchange([head.as_bytes(), body].concat()).await;
    assert!(answer.contains("\"evalContext\":{\"flagKey\":\"\u{FFFD}\u{FFFD}\"}"), "{answer}");
}

#[tokio::test]
async fn oversized_bodies_are_refused_before_they_are_read() {
    let server = Server::with(|config| config.max_body_bytes = 1000).await;
    let head = "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut stream = server.connect().await;
    stream.write_all(format!("{head}content-length: 1001\r\n\r\n").as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("{\"code\":413,"), "{answer}");

    let chunk = format!("100\r\n{}\r\n", " ".repeat(256));
    let mut stream = server.connect().await;
    let request = format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(4));
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.assert_alive().await;
}

/// As Go's server does it, before it asks Flagr anything.
#[tokio::test]
async fn a_request_says_which_host_it_is_for() {
    let server = Server::with(|_| {}).await;
    for (head, expected) in [
        ("HTTP/1.1\r\n", "400 Bad Request: missing required Host header"),
        ("HTTP/1.1\r\nhost: a b\r\n", "400 Bad Request: malformed Host header"),
        ("HTTP/1.0\r\nhost: a/b\r\n", "400 Bad Request: malformed Host header"),
        ("HTTP/1.1\r\nhost: a\r\nhost: a\r\n", "400 Bad Request"),
        ("HTTP/1.1\r\nhost:\r\nconnection: close\r\n", "{\"status\":\"OK\"}\n"),
        ("HTTP/1.0\r\n", "{\"status\":\"OK\"}\n"),
    ] {
        let answer = server.exchange(format!("GET /api/v1/health {head}\r\n")).await;
        let (said, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, expected, "{head}");
        let is_text = said.contains("content-type: text/plain; charset=utf-8");
        let status = if is_text { " 400 " } else { " 200 " };
        assert!(said.lines().next().unwrap().contains(status), "{head}: {said}");
        assert_eq!(is_text, expected.starts_with("400"), "{said}");
    }
}

/// Were the connection closed with bytes unread, the answer could be lost.
#[tokio::test]
async fn who_sends_too_much_gets_to_read_why() {
    let server = Server::with(|config| config.max_body_bytes = 1_000).await;
    let head = "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let much = " ".repeat(4 << 20);
    for request in [
        format!("{head}content-length: {}\r\n\r\n{much}", much.len()),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{much}\r\n0\r\n\r\n", much.len()),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {much}\r\n\r\n"),
    ] {
        let mut stream = server.connect().await;
        // All of it is taken, and only then is the answer looked at.
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let expected = if request.starts_with("GET") { "HTTP/1.1 431" } else { "HTTP/1.1 413" };
        assert!(answer.starts_with(expected), "{answer}");
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn slow_heads_and_bodies_are_given_up() {
    let soon = Duration::from_millis(50);
    let server = Server::with(|config| {
        (config.read_timeout, config.listener.header_timeout) = (soon, soon);
    });
    let server = server.await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");

    let mut stream = server.connect().await;
    stream.write_all(&post("{\"flagKey\":\"k\"}").as_bytes()[..110]).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("{\"code\":408,"), "{answer}");
    server.assert_alive().await;
}

#[tokio::test]
async fn a_cut_body_is_no_request() {
    let rig = Rig::new(|_| {});
    let engine = Arc::clone(&rig.engine);
    let server = Server::start(rig.sidecar, Duration::from_secs(10)).await;
    let whole = post("{\"flagKey\":\"k\"}");
    let answer = server.exchange(&whole.as_bytes()[..whole.len() - 3]).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    server.assert_alive().await;
    assert!(engine.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::with(|_| {}).await;
    let mut stream = server.connect().await;
    for body in ["{\"flagKey\":\"k\"}", "{}", "nonsense"] {
        stream.write_all(post(body).as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, if body == "nonsense" { "}" } else { "}\n" }).await;
        assert!(
            answer.starts_with(if body == "nonsense" { "HTTP/1.1 400" } else { "HTTP/1.1 200" }),
            "{answer}"
        );
    }
    // Two requests in one packet are answered in order.
    stream.write_all((post("{}") + &get("/api/v1/health")).as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "{\"status\":\"OK\"}\n").await;
    assert!(answer.contains("recordSource"), "{answer}");
    // HEAD has no body.
    stream.write_all(b"HEAD /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET"), "{answer}");
}

#[tokio::test]
async fn stopping_closes_idle_connections_at_once() {
    let server = Server::with(|_| {}).await;
    let mut idle = server.connect().await;
    idle.write_all(get("/api/v1/health").as_bytes()).await.unwrap();
    read_until(&mut idle, "{\"status\":\"OK\"}\n").await;
    let mut fresh = server.connect().await;
    let address = server.address;
    assert_eq!(server.stop().await, 0);
    assert_eq!(read_all(&mut idle).await, "");
    assert_eq!(read_all(&mut fresh).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn stopping_lets_a_running_request_finish() {
    let server = Server::with(|_| {}).await;
    let mut stream = server.connect().await;
    let request = post("{\"flagKey\":\"k\"}");
    let (first, rest) = request.split_at(request.len() - 3);
    stream.write_all(format!("{}{first}", get("/api/v1/health")).as_bytes()).await.unwrap();
    read_until(&mut stream, "{\"status\":\"OK\"}\n").await; // so the second request's head has arrived as well
    server.stop.send(()).unwrap();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(rest.as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.served.await.unwrap(), 0);
}

#[tokio::test]
async fn draining_is_bounded() {
    let server = Server::start(Rig::new(|_| {}).sidecar, Duration::from_millis(20)).await;
    let mut stream = server.connect().await;
    let request = post("{\"flagKey\":\"k\"}");
    let (first, _) = request.split_at(request.len() - 3);
    stream.write_all(format!("{}{first}", get("/api/v1/health")).as_bytes()).await.unwrap();
    read_until(&mut stream, "{\"status\":\"OK\"}\n").await;
    assert_eq!(server.stop().await, 1);
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let server = Server::with(|_| {}).await;
    let error: BindError = Rig::new(|_| {}).sidecar.bind(server.address).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {}", server.address));
    assert_eq!(*error.address(), server.address.into());
}

#[tokio::test]
async fn a_target_that_is_no_uri_is_refused() {
    let server = Server::with(|_| {}).await;
    // A browser sends none of the refused ones bare, but a plain HTTP client may.
    for (letters, status) in [("!$%'()*+,-./:;=?@[\\]^_`{|}~é", 422), ("\"<>", 400)] {
        for letter in letters.chars() {
            let path = format!("/api/v1/export/eval_cache/json?ids=0&a={letter}");
            let answer = server.exchange(get(&path)).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{letter}: {answer}");
        }
    }
    server.assert_alive().await;
}
