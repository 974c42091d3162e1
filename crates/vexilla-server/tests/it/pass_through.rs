//! What goes through to Flagr: to a scripted one in process, and over loopback sockets.

// tidy: long because its cases share one scripted Flagr.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::ServiceExt;
use vexilla_server::{
    ForwardBody, ForwardConfig, ForwardError, ForwardErrorKind, Forwarder, HttpForwarder,
    SidecarConfig,
};

use crate::fake::{FakeOperator, Rig};
use crate::recorded::Recording;

/// Gives the answers it was scripted with, and keeps what it was sent.
#[derive(Debug, Default)]
struct FakeFlagr {
    answers: Mutex<VecDeque<Result<Response<Bytes>, ForwardErrorKind>>>,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Forwarder for FakeFlagr {
    async fn forward(
        &self,
        request: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut names: Vec<&str> = head.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let body = String::from_utf8_lossy(&body).into_owned();
        self.sent.lock().unwrap().push(format!("{} {} {names:?} {body}", head.method, head.uri));
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        match answer {
            Ok(answer) => {
                Ok(answer.map(|it| Full::new(it).map_err(|never| match never {}).boxed_unsync()))
            }
            Err(kind) => Err(ForwardError::new(kind, None)),
        }
    }
}

fn whole(config: &mut SidecarConfig) {
    config.pass_through = true;
}

fn rig(
    change: impl FnOnce(&mut SidecarConfig),
    operator: FakeOperator,
) -> (Rig, Arc<FakeFlagr>, Arc<FakeOperator>) {
    let (flagr, operator) = (Arc::new(FakeFlagr::default()), Arc::new(operator));
    let (forwarder, listed) = (Arc::clone(&flagr), Arc::clone(&operator));
    let rig = Rig::with(change, |it| it.with_forwarder(forwarder).with_operator(listed));
    (rig, flagr, operator)
}

fn script(flagr: &FakeFlagr, status: u16, body: impl Into<Bytes>) {
    let answer = Response::builder().status(status).header("x-flagr", "1");
    let answer = answer.header("connection", "x-hop, close").header("x-hop", "1");
    flagr.answers.lock().unwrap().push_back(Ok(answer.body(body.into()).unwrap()));
}

#[tokio::test]
async fn every_recorded_exchange_that_is_not_ours_goes_through_unchanged() {
    let (rig, flagr, _) = rig(whole, FakeOperator::default());
    let mut count = 0;
    for exchange in Recording::read().exchanges {
        let mut answer = Response::builder().status(exchange.response.status);
        for (name, value) in &exchange.response.headers {
            answer = answer.header(name, value);
        }
        let answer = answer.body(Bytes::from(exchange.response.body.clone())).unwrap();
        *flagr.answers.lock().unwrap() = VecDeque::from([Ok(answer)]);
        flagr.sent.lock().unwrap().clear();
        let (status, headers, body) = rig.exchange(exchange.request()).await;
        let Some(sent) = flagr.sent.lock().unwrap().pop() else { continue };
        let line = format!("{} {} ", exchange.request().method(), exchange.request().uri());
        assert!(sent.starts_with(&line), "{sent}");
        let sent_body = exchange.request().into_body().collect().await.unwrap().to_bytes();
        assert!(sent.ends_with(&*String::from_utf8_lossy(&sent_body)), "{sent}");
        let expected =
            (exchange.response.status, exchange.response.headers, exchange.response.body);
        assert_eq!(
            (status, headers, &*body),
            (expected.0, expected.1, expected.2.as_bytes()),
            "{}",
            exchange.name
        );
        count += 1;
    }
    println!("{count} exchanges went through");
    assert_eq!(count, 58);
}

#[tokio::test]
async fn what_belongs_to_the_connection_stays_behind() {
    let (rig, flagr, _) = rig(whole, FakeOperator::default());
    script(&flagr, 302, "");
    let (status, headers, _) = rig
        .ask(
            "GET",
            "/a/../b//c%2e?q=%zz&r",
            &[
                ("host", "vexilla"),
                ("connection", "keep-alive, x-mine"),
                ("x-mine", "1"),
                ("te", "trailers"),
                ("upgrade", "h2c"),
                ("proxy-authorization", "secret"),
                ("expect", "100-continue"),
                ("authorization", "for flagr"),
                ("cookie", "c"),
                ("accept-encoding", "gzip"),
            ],
        )
        .await;
    let sent = flagr.sent.lock().unwrap().pop().unwrap();
    assert_eq!(
        sent,
        r#"GET /a/../b//c%2e?q=%zz&r ["accept-encoding", "authorization", "cookie"] "#
    );
    assert_eq!((status, headers.len()), (302, 1), "not followed, nothing added: {headers:?}");
    assert_eq!(headers["x-flagr"], "1");
}

#[tokio::test]
async fn what_is_ours_does_not_go_through() {
    let (rig, flagr, _) = rig(whole, FakeOperator::default());
    rig.publish(1, "{\"Flags\":[]}\n");
    let preflight = ("access-control-request-method", "POST");
    for (method, path, headers) in [
        ("GET", "/api/v1/health", vec![]),
        ("GET", "/api/v1/evaluation?json=%7B%7D", vec![]),
        ("GET", "/api/v1/export/eval_cache/json", vec![]),
        ("GET", "/api/v1/flags/snapshots/max_id", vec![]),
        ("POST", "/ofrep/v1/evaluate/flags", vec![]),
        ("PUT", "/ofrep/v1/evaluate/flags", vec![]),
        ("GET", "/ofrep/v1/evaluate/flags/a", vec![]),
        ("OPTIONS", "/api/v1/evaluation", vec![preflight]),
    ] {
        rig.ask(method, path, &headers).await;
    }
    assert!(flagr.sent.lock().unwrap().is_empty());
    for (method, path, headers) in
        [("PUT", "/api/v1/evaluation", vec![]), ("OPTIONS", "/api/v1/flags", vec![preflight])]
    {
        script(&flagr, 204, "");
        assert_eq!(rig.ask(method, path, &headers).await.0, 204, "{path}");
    }
    assert_eq!(flagr.sent.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_names_no_path_does_not_go_through() {
    let (rig, flagr, _) = rig(whole, FakeOperator::default());
    for (method, target) in
        [("OPTIONS", "*"), ("CONNECT", "elsewhere:80"), ("CONNECT", "http://a/b")]
    {
        assert_eq!(rig.ask(method, target, &[]).await.0, 404, "{target}");
    }
    script(&flagr, 200, "");
    rig.ask("GET", "http://elsewhere/x?y", &[]).await;
    assert_eq!(*flagr.sent.lock().unwrap(), ["GET /x?y [] "], "never to another host");
}

#[tokio::test]
async fn only_exposures_go_through_when_it_is_off() {
    let (rig, flagr, _) = rig(|_| {}, FakeOperator::default());
    script(&flagr, 200, "{}");
    assert_eq!(rig.post("/api/v1/exposures", "{}").await.headers["x-flagr"], "1");
    assert_eq!(rig.get("/api/v1/flags").await.status, 501);
    assert_eq!(rig.get("/").await.status, 404);
    assert_eq!(rig.get("/api/v1/exposures").await.status, 405);
}

#[tokio::test]
async fn the_prefix_goes_along() {
    let prefixed = |config: &mut SidecarConfig| {
        config.pass_through = true;
        config.web_prefix = "/flagr".to_owned();
    };
    let (rig, flagr, operator) = rig(prefixed, FakeOperator::default());
    script(&flagr, 200, "");
    rig.post("/flagr/api/v1/flags/7/enabled", "").await;
    assert!(flagr.sent.lock().unwrap()[0].starts_with("POST /flagr/api/v1/flags/7/enabled "));
    assert_eq!(*operator.reread.lock().unwrap(), ["[7]"]);
    assert_eq!(rig.get("/api/v1/flags").await.status, 404);
}

#[tokio::test]
async fn a_change_is_read_before_its_answer_is_sent() {
    let (rig, flagr, operator) = rig(whole, FakeOperator::default());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(br#"{"id":12}"#).unwrap();
    let packed = packed.finish().unwrap();
    for (method, path, status, body, read) in [
        ("PUT", "/api/v1/flags/7", 200, "{}", Some("[7]")),
        ("DELETE", "/api/v1/flags/7/segments/8", 200, "", Some("[7]")),
        ("POST", "/api/v1/flags", 200, r#"{"description":"d","id":9}"#, Some("[9]")),
        ("POST", "/api/v1/flags/7/duplicate", 200, r#"{"id":10}"#, Some("[10]")),
        ("POST", "/api/v1/flags", 200, "no json", Some("all")),
        ("PUT", "/api/v1/flags/x/enabled", 200, "", Some("all")),
        ("PUT", "/api/v1/flags/7", 400, "{}", None),
        ("GET", "/api/v1/flags/7", 200, "{}", None),
        ("POST", "/api/v1/flagsets/7", 200, "{}", None),
        ("POST", "/other", 200, "{}", None),
    ] {
        script(&flagr, status, body);
        let answered = rig.ask(method, path, &[]).await;
        assert_eq!((answered.0, &*answered.2), (status, body.as_bytes()), "{path}");
        let reads = std::mem::take(&mut *operator.reread.lock().unwrap());
        assert_eq!(
            reads,
            read.map(str::to_owned).into_iter().collect::<Vec<_>>(),
            "{method} {path}"
        );
    }
    let answer = Response::builder().header("content-encoding", "gzip");
    flagr.answers.lock().unwrap().push_back(Ok(answer.body(packed.clone().into()).unwrap()));
    let (_, headers, body) = rig.ask("POST", "/api/v1/flags", &[]).await;
    assert_eq!((&*headers["content-encoding"], &body[..]), ("gzip", &packed[..]));
    assert_eq!(*operator.reread.lock().unwrap(), ["[12]"]);

    let long = format!(r#"{{"id":13,"notes":"{}"}}"#, "x".repeat(2 << 20));
    script(&flagr, 200, long.clone());
    let (_, _, body) = rig.ask("POST", "/api/v1/flags", &[]).await;
    assert_eq!(body.len(), long.len(), "too long to look at, and whole");
    assert_eq!(operator.reread.lock().unwrap().last().unwrap(), "all");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_takes_long_to_read_is_not_waited_for() {
    let operator = FakeOperator { hangs: true, ..FakeOperator::default() };
    let (rig, flagr, operator) = rig(whole, operator);
    script(&flagr, 200, "done");
    let before = tokio::time::Instant::now();
    let answered = rig.ask("PUT", "/api/v1/flags/7", &[]).await;
    assert_eq!((answered.0, &*answered.2), (200, &b"done"[..]));
    assert_eq!(before.elapsed().as_secs(), 2);
    assert_eq!(*operator.reread.lock().unwrap(), ["[7]", "later [7]"]);
}

#[tokio::test]
async fn what_fails_on_the_way_is_told_in_flagrs_shape() {
    let (rig, flagr, _) = rig(whole, FakeOperator::default());
    for (kind, status, message) in [
        (ForwardErrorKind::Unavailable, 502, "flagr cannot be reached"),
        (ForwardErrorKind::TimedOut, 504, "flagr did not answer in time"),
        (
            ForwardErrorKind::Overloaded,
            503,
            "too many requests are being passed on, try again later",
        ),
        (ForwardErrorKind::TooLarge, 413, "request body is too large to be passed on"),
    ] {
        flagr.answers.lock().unwrap().push_back(Err(kind));
        let answered = rig.get("/api/v1/flags").await;
        let expected = format!("{{\"message\":\"{message}\"}}\n");
        assert_eq!((answered.status, answered.body), (status, expected));
    }
}

/// Accepts one connection, gives what it reads up to `end`, and answers.
async fn upstream(
    end: &'static str,
    answer: &'static str,
) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let reading = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut part) = (Vec::new(), [0; 1024]);
        while !read.ends_with(end.as_bytes()) {
            match stream.read(&mut part).await.unwrap() {
                0 => break,
                count => read.extend_from_slice(&part[..count]),
            }
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(read).unwrap()
    });
    (url, reading)
}

fn over_http(url: &str, change: impl FnOnce(&mut ForwardConfig)) -> Rig {
    let mut config = ForwardConfig::new(url);
    change(&mut config);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let forwarder = Arc::new(HttpForwarder::new(config, tls).unwrap());
    Rig::with(whole, |it| it.with_forwarder(forwarder))
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let (url, reading) = upstream(
        "12345",
        "HTTP/1.1 201 Created\r\ncontent-length: 2\r\nx-a: 1\r\nx-a: 2\r\n\r\nok",
    )
    .await;
    let rig = over_http(&url, |_| {});
    let request = Request::put("/api/v1/../x?a=%zz").header("host", "other").header("X-Test", "é");
    let request = request.body(Full::new(Bytes::from("12345"))).unwrap();
    let (status, headers, body) = rig.exchange(request).await;
    assert_eq!((status, &*headers["x-a"], &body[..]), (201, "1 | 2", &b"ok"[..]));
    let sent = reading.await.unwrap();
    let host = url.strip_prefix("http://").unwrap();
    assert_eq!(
        sent,
        format!(
            "PUT /api/v1/../x?a=%zz HTTP/1.1\r\nx-test: é\r\ncontent-length: 5\r\nhost: {host}\r\n\r\n12345"
        )
    );
}

#[tokio::test]
async fn a_request_without_a_body_stays_without() {
    let (url, reading) = upstream("\r\n\r\n", "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n").await;
    let rig = over_http(&url, |_| {});
    let (status, headers, body) = rig.ask("GET", "/static/app.js", &[("if-none-match", "x")]).await;
    assert_eq!((status, &*headers["etag"], body.len()), (304, "x", 0));
    let sent = reading.await.unwrap();
    assert!(!sent.contains("content-length") && !sent.contains("transfer-encoding"), "{sent}");
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (url, reading) = upstream(
        "0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
    )
    .await;
    let rig = over_http(&url, |_| {});
    let (sender, parts) = mpsc::unbounded_channel::<&'static str>();
    let parts = futures_util::stream::unfold(parts, async |mut parts| {
        let part = parts.recv().await?;
        Some((Ok::<_, std::io::Error>(Frame::data(Bytes::from(part))), parts))
    });
    let request = Request::post("/api/v1/x").body(StreamBody::new(parts)).unwrap();
    let answer = tokio::spawn(rig.sidecar.service().oneshot(request));
    sender.send("first ").unwrap();
    sender.send("second").unwrap();
    drop(sender);
    let mut body = answer.await.unwrap().unwrap().into_body();
    let mut read = String::new();
    while let Some(frame) = body.frame().await {
        read.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
    assert_eq!(read, "abcdef");
    let sent = reading.await.unwrap();
    assert!(sent.contains("first ") && sent.contains("second"), "{sent}");
    assert!(sent.contains("transfer-encoding: chunked"), "{sent}");
}

#[tokio::test]
async fn limits_hold_on_the_way() {
    let (url, _reading) = upstream("never", "").await;
    let rig = over_http(&url, |it| it.max_body_bytes = 4);
    assert_eq!(rig.post("/api/v1/x", "12345").await.status, 413);
    let rig = over_http(&url, |it| it.max_concurrent_requests = 0);
    assert_eq!(rig.get("/api/v1/x").await.status, 503);
    let (url, _reading) = upstream("never", "").await;
    let rig = over_http(&url, |it| it.answer_timeout = Duration::ZERO);
    assert_eq!(rig.get("/api/v1/x").await.status, 504);
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let rig = over_http(&format!("http://{gone}"), |_| {});
    assert_eq!(rig.get("/api/v1/x").await.status, 502);
}

#[test]
fn an_address_is_checked() {
    for (url, fine) in [
        ("http://flagr:18000", true),
        ("https://flagr/", true),
        ("http://flagr/path", false),
        ("http://user:secret@flagr", false),
        ("ftp://flagr", false),
        ("flagr:18000", false),
        ("/x", false),
        ("", false),
    ] {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let made = HttpForwarder::new(ForwardConfig::new(url), tls);
        assert_eq!(made.is_ok(), fine, "{url}");
        if let Err(error) = made {
            assert!(!error.to_string().contains("secret"));
        }
    }
}

/// What a caller says of lengths never reaches Flagr: one request here is one request there.
#[tokio::test]
async fn a_request_with_two_lengths_is_framed_anew() {
    let (url, reading) =
        upstream("0\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let bound = over_http(&url, |_| {}).sidecar.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(bound.serve(async { drop(stopped.await) }, Duration::from_secs(10)));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "POST /x HTTP/1.1\r\nhost: v\r\nconnection: close\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let sent = reading.await.unwrap();
    assert!(
        !sent.contains("content-length") && sent.ends_with("\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        "{sent}"
    );
    drop(stop);
    served.await.unwrap();
}
