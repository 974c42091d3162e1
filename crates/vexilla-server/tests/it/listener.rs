//! Listeners: hostile requests, Unix sockets, TLS, limits, stopping. The admin API and the webhook stand for all.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use vexilla_domain::Secret;
use vexilla_server::{
    Admin, AdminConfig, BindError, BoundServer, ListenAddress, ListenerConfig, Webhook,
    WebhookConfig, WebhookHeader,
};

use crate::loopback::{Served, read_all, read_until};
use crate::operator::{FakeOperator, clock};

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
const OK: &str = "{\"status\":\"ok\"}";
const REFRESH: &str = "POST /admin/refresh HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\n\r\n";
const DRAIN: Duration = Duration::from_secs(10);

async fn bind_admin(
    operator: &Arc<FakeOperator>,
    address: &ListenAddress,
    change: impl FnOnce(&mut ListenerConfig),
) -> Result<BoundServer, BindError> {
    let mut config = AdminConfig::default();
    config.token = Some(Secret::new("t"));
    config.read_timeout = Duration::from_millis(50);
    change(&mut config.listener);
    Admin::new(Arc::clone(operator) as _, clock(), config).bind(address).await
}

async fn bind_webhook(
    operator: &Arc<FakeOperator>,
    address: &ListenAddress,
) -> Result<BoundServer, BindError> {
    let mut config = WebhookConfig::default();
    config.header = Some(WebhookHeader::bearer("t"));
    config.read_timeout = Duration::from_millis(50);
    Webhook::new(Arc::clone(operator) as _, clock(), config).unwrap().bind(address).await
}

fn free_port() -> ListenAddress {
    "127.0.0.1:0".parse().unwrap()
}

/// An admin API.
async fn admin(change: impl FnOnce(&mut ListenerConfig)) -> (Arc<FakeOperator>, Served) {
    let operator = Arc::new(FakeOperator::default());
    let bound = bind_admin(&operator, &free_port(), change).await.unwrap();
    (operator, Served::start(bound, DRAIN))
}

/// An admin API and a webhook, each with a route that changes something and a body for it.
async fn both() -> (Arc<FakeOperator>, [(Served, &'static str, &'static str); 2]) {
    let operator = Arc::new(FakeOperator::default());
    let admin = bind_admin(&operator, &free_port(), |_| {}).await.unwrap();
    let webhook = bind_webhook(&operator, &free_port()).await.unwrap();
    let servers = [
        (Served::start(admin, DRAIN), "/admin/invalidate", r#"{"flag_key":"k"}"#),
        (Served::start(webhook, DRAIN), "/webhook", r#"{"operation":"update","flag_key":"k"}"#),
    ];
    (operator, servers)
}

#[tokio::test]
async fn hostile_requests_change_nothing_and_the_process_goes_on() {
    let (operator, servers) = both().await;
    for (server, path, body) in &servers {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t\r\ncontent-type: application/json\r\n"
        );
        let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
        let second = format!("{head}content-length: {length}\r\n\r\n{body}");
        for (request, status) in [
            // A second request in what one reader takes for the body, and another one for a request.
            (
                format!(
                    "{head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{second}"
                ),
                "411",
            ),
            (
                format!(
                    "{head}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n{chunk}{second}"
                ),
                "411",
            ),
            (format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}"), "411"),
            (format!("{head}transfer-encoding: xchunked\r\n\r\n{chunk}"), "400"),
            (format!("{head}transfer-encoding: chunked, identity\r\n\r\n{chunk}"), "400"),
            (format!("{head}content-length: {length}\r\ncontent-length: 0\r\n\r\n{body}"), "400"),
            (format!("{head}content-length: +{length}\r\n\r\n{body}"), "400"),
            (format!("{head}content-length : {length}\r\n\r\n{body}"), "400"),
            (format!("{head}content-length: 99999999999\r\n\r\n{body}"), "413"),
            (format!("{head}x: {}\r\n\r\n", "a".repeat(200_000)), "431"),
            (format!("{head}{}\r\n", "a: b\r\n".repeat(200)), "431"),
            (format!("{head}x: a\0b\r\n\r\n"), "400"),
            (format!("POST {path} HTTP/1.1\nx"), ""),
            ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
            (format!("POST {path} HTTP/9.9\r\n\r\n"), "400"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
            // Cut, and slow.
            (format!("{head}content-length: {}\r\n\r\n{body}", length + 1), ""),
        ] {
            let answer = server.exchange(&request).await;
            let shown = request.chars().take(250).collect::<String>();
            let starts = format!("HTTP/1.1 {}", if status.is_empty() { "4" } else { status });
            assert!(
                answer.starts_with(&starts) || status.is_empty() && answer.is_empty(),
                "{shown}: {answer}"
            );
            assert!(answer.matches("HTTP/1.1").count() <= 1, "{shown}: {answer}");
        }
        let bytes = [head.as_bytes(), b"x-text: \xff\xfe\r\ncontent-length: 3\r\n\r\n\xff\xfe\xfd"]
            .concat();
        let answer = server.exchange(bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let answer = server.exchange(&b"GET /\xff\xfe HTTP/1.1\r\n\r\n"[..]).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let mut slow = server.connect().await;
        slow.write_all(format!("{head}content-length: {length}\r\n\r\n{{").as_bytes())
            .await
            .unwrap();
        let answer = read_all(&mut slow).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("in time"), "{answer}");

        assert_eq!(operator.asked(), Vec::<String>::new(), "{path}");
        // Those that could not be received came from a sender who is known, and do say that something changed.
        let notified = operator.notified();
        assert_eq!(!notified.is_empty(), *path == "/webhook", "{path}");
        assert!(notified.iter().all(|it| *it == "everything"), "{path}: {notified:?}");
        let answer = server.exchange(&second).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        operator.asked.lock().unwrap().clear();
        operator.notified.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let (operator, [(admin, ..), (webhook, ..)]) = both().await;
    for (error, address) in [
        (bind_admin(&operator, &webhook.address, |_| {}).await.unwrap_err(), &webhook.address),
        (bind_webhook(&operator, &admin.address).await.unwrap_err(), &admin.address),
    ] {
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
        assert_eq!(error.address(), address);
        assert_eq!(io_kind(&error), Some(ErrorKind::AddrInUse));
    }
}

fn io_kind(error: &BindError) -> Option<ErrorKind> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
}

#[tokio::test]
async fn a_slow_head_and_an_idle_connection_are_given_up() {
    let soon = Duration::from_millis(50);
    let (_, server) = admin(|it| it.header_timeout = soon).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
    let (_, server) = admin(|it| it.idle_timeout = soon).await;
    let mut stream = server.connect().await;
    stream.write_all(HEALTH.as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.ends_with(OK), "{answer}");
}

#[tokio::test]
async fn one_connection_too_many_waits_while_all_are_busy() {
    let operator = Arc::new(FakeOperator::default());
    operator.go_on.forget_permits(1_000);
    let bound = bind_admin(&operator, &free_port(), |it| it.max_connections = 1).await.unwrap();
    let server = Served::start(bound, DRAIN);
    let mut first = server.connect().await;
    first.write_all(REFRESH.as_bytes()).await.unwrap();
    operator.started.acquire().await.unwrap().forget();
    let mut second = server.connect().await;
    second.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut third = server.connect().await;
    third.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert_eq!(second.try_read(&mut byte).unwrap_err().kind(), ErrorKind::WouldBlock);
    operator.go_on.add_permits(1);
    let answer = read_until(&mut first, "}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // It is silent from then on, and so is the second once it is answered.
    read_until(&mut second, OK).await;
    read_until(&mut third, OK).await;
}

#[tokio::test]
async fn who_says_nothing_keeps_nobody_out() {
    let (_, server) = admin(|it| it.max_connections = 8).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(server.connect().await);
    }
    // A head that never ends is as silent.
    silent[0].write_all(b"GET /health HTTP/1.1\r\n").await.unwrap();
    let mut caller = server.connect().await;
    caller.write_all(HEALTH.as_bytes()).await.unwrap();
    read_until(&mut caller, OK).await;
    assert_eq!(read_all(&mut silent[0]).await, "", "the oldest made room");
    for stream in &mut silent[2..] {
        stream.write_all(HEALTH.as_bytes()).await.unwrap();
        read_until(stream, OK).await;
    }
}

#[tokio::test]
async fn stopping_lets_a_running_request_finish_within_bounds() {
    for (drain, cut) in [(DRAIN, 0), (Duration::from_millis(20), 1)] {
        let operator = Arc::new(FakeOperator::default());
        operator.go_on.forget_permits(1_000);
        let server =
            Served::start(bind_admin(&operator, &free_port(), |_| {}).await.unwrap(), drain);
        let (mut idle, mut busy) = (server.connect().await, server.connect().await);
        idle.write_all(HEALTH.as_bytes()).await.unwrap();
        read_until(&mut idle, OK).await;
        busy.write_all(REFRESH.as_bytes()).await.unwrap();
        operator.started.acquire().await.unwrap().forget();
        let stopped = server.stop();
        assert_eq!(read_all(&mut idle).await, "", "idle connections are closed at once");
        if cut == 0 {
            operator.go_on.add_permits(1);
        }
        let answer = read_all(&mut busy).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200"), cut == 0, "{answer}");
        assert_eq!(stopped.await.unwrap(), cut);
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;

    use tokio::net::UnixStream;
    use vexilla_server::UnixAccess;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    async fn health(path: &Path) -> String {
        let mut stream = UnixStream::connect(path).await.unwrap();
        stream.write_all(HEALTH.as_bytes()).await.unwrap();
        read_until(&mut stream, OK).await
    }

    #[tokio::test]
    async fn a_unix_socket_is_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address: ListenAddress = format!("unix:{}", path.display()).parse().unwrap();
        let operator = Arc::new(FakeOperator::default());
        for (access, expected) in [(UnixAccess::Owner, 0o600), (UnixAccess::Group, 0o660)] {
            let bound =
                bind_admin(&operator, &address, |it| it.unix_access = access).await.unwrap();
            assert_eq!((bound.address(), mode(&path)), (&address, expected));
            let server = Served::start(bound, DRAIN);
            assert!(health(&path).await.starts_with("HTTP/1.1 200"));
            let error = bind_admin(&operator, &address, |_| {}).await.unwrap_err();
            assert_eq!(io_kind(&error), Some(ErrorKind::AddrInUse));
            assert!(health(&path).await.starts_with("HTTP/1.1 200"), "it goes on");
            assert_eq!(server.stop().await.unwrap(), 0);
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left");
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_anything_else_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address = ListenAddress::Unix(path.clone());
        let operator = Arc::new(FakeOperator::default());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // leaves its file
        let bound = bind_admin(&operator, &address, |_| {}).await.unwrap();
        let server = Served::start(bound, DRAIN);
        health(&path).await;
        // Somebody else takes the path: it is theirs.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "precious").unwrap();
        server.stop().await.unwrap();
        let error = bind_admin(&operator, &address, |_| {}).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(ErrorKind::AlreadyExists));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        // No such folder.
        let address = ListenAddress::Unix(folder.path().join("none/a.sock"));
        bind_admin(&operator, &address, |_| {}).await.unwrap_err();
    }
}

/// A page whose name is made to mean a loopback address is on this machine, as it were.
#[tokio::test]
async fn a_page_does_not_reach_an_admin_api_without_a_token() {
    let open = || Admin::new(Arc::new(FakeOperator::default()), clock(), AdminConfig::default());
    let server = Served::start(open().bind(&free_port()).await.unwrap(), DRAIN);
    let ask = async |headers: &str| {
        let request = format!("GET /admin/stats HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
        let answer = server.exchange(request).await;
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let port = server.port().port();
    assert_eq!(ask(&format!("host: localhost:{port}\r\n")).await, "200");
    assert_eq!(ask(&format!("host: 127.0.0.1:{port}\r\n")).await, "200");
    assert_eq!(ask(&format!("host: rebound.example:{port}\r\n")).await, "403");
    assert_eq!(ask("host: localhost\r\norigin: https://evil.example\r\n").await, "403");
    assert_eq!(ask("host: localhost\r\nsec-fetch-site: cross-site\r\n").await, "403");
    let probe = "GET /health HTTP/1.1\r\nconnection: close\r\nhost: pod-7\r\n\r\n";
    assert!(server.exchange(probe).await.ends_with(OK), "a probe may call it as it likes");
}
