//! The admin API of a client: bound before the start returns, gone with the client.

use tokio::net::{TcpListener, TcpStream};
use vexilla::{AdminConfig, Client, ListenAddress, Secret, StartError, StartPolicy, WebhookConfig};

use crate::upstream::{Upstream, ask, on};

const FREE: &str = "127.0.0.1:0";

fn with_token() -> AdminConfig {
    let mut config = AdminConfig::default();
    config.token = Some(Secret::from("hush"));
    config
}

#[tokio::test]
async fn an_operator_reads_refreshes_and_invalidates() {
    let flagr = Upstream::start(&["a", "b"]).await;
    let client = Client::builder().flagr_with(flagr.config()).admin(FREE, with_token());
    let client = client.start().await.unwrap();
    let admin = client.admin_address().unwrap();
    assert_eq!(client.webhook_address(), None);

    assert_eq!(ask(admin, "GET /health", &[], "").await.0, 200);
    assert_eq!(ask(admin, "GET /ready", &[], "").await.0, 200);
    let wrong = ("Authorization", "Bearer wrong");
    for headers in [&[][..], &[wrong]] {
        assert_eq!(ask(admin, "GET /admin/stats", headers, "").await.0, 401);
        assert_eq!(ask(admin, "POST /admin/refresh", headers, "").await.0, 401);
    }
    let right = [("Authorization", "Bearer hush"), ("Content-Type", "application/json")];
    let (status, body) = ask(admin, "GET /admin/stats", &right, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""flags":2"#), "{body}");

    flagr.state().set_enabled(1, false);
    let body = r#"{"flag_key":"a"}"#;
    let (status, answer) = ask(admin, "POST /admin/invalidate", &right, body).await;
    assert_eq!((status, on(&client, "a"), on(&client, "b")), (200, false, true), "{answer}");

    flagr.state().set_enabled(2, false);
    let (status, answer) = ask(admin, "POST /admin/refresh", &right, "").await;
    assert_eq!((status, on(&client, "b")), (200, false), "{answer}");
}

#[tokio::test]
async fn who_is_not_ready_says_why() {
    let client = Client::builder()
        .flags_file("no/such/file.json")
        .on_start(StartPolicy::ComeUpEmpty)
        .admin(FREE, AdminConfig::default());
    let client = client.start().await.unwrap();
    let admin = client.admin_address().unwrap();
    assert_eq!(ask(admin, "GET /health", &[], "").await.0, 200);
    let (status, body) = ask(admin, "GET /ready", &[], "").await;
    assert_eq!(status, 503);
    assert!(body.contains("no flags are loaded yet"), "{body}");
}

async fn shop(admin: impl Into<Option<&str>>, webhook: Option<&str>) -> Result<Client, StartError> {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let mut builder = Client::builder().flags_file(flags);
    if let Some(admin) = admin.into() {
        builder = builder.admin(admin, AdminConfig::default());
    }
    if let Some(webhook) = webhook {
        builder = builder.webhook(webhook, WebhookConfig::default());
    }
    builder.start().await
}

/// The whole error in one line.
fn told(error: &StartError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |it| it.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn what_cannot_be_listened_on_fails_the_start() {
    let taken = TcpListener::bind(FREE).await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (admin, webhook) in [(Some(&*address), None), (None, Some(&*address))] {
        let error = told(&shop(admin, webhook).await.unwrap_err());
        assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
        assert!(error.contains("in use"), "{error}");
    }
    // The first of two is not left behind.
    let error = shop(Some(FREE), Some(&address)).await.unwrap_err();
    assert!(matches!(error, StartError::Listen(_)));
}

#[tokio::test]
async fn without_a_secret_nobody_else_may_reach_them() {
    for (admin, webhook, name) in
        [(Some("0.0.0.0:0"), None, "token"), (None, Some("0.0.0.0:0"), "secret")]
    {
        let error = told(&shop(admin, webhook).await.unwrap_err());
        assert!(error.starts_with("cannot listen on 0.0.0.0:0: "), "{error}");
        assert!(error.contains(name), "{error}");
    }
    let error = shop(Some("everywhere"), None).await.unwrap_err();
    assert!(matches!(error, StartError::Config(ref error) if error.field() == "admin"), "{error}");
}

async fn refuses(address: &ListenAddress) {
    let ListenAddress::Tcp(address) = address else { unreachable!("{address}") };
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stop_ends_the_servers() {
    let client = shop(FREE, Some(FREE)).await.unwrap();
    let (admin, webhook) = (client.admin_address().unwrap(), client.webhook_address().unwrap());
    assert_eq!(ask(admin, "GET /health", &[], "").await.0, 200);
    client.stop().await;
    for address in [admin, webhook] {
        let ListenAddress::Tcp(address) = address else { unreachable!("{address}") };
        TcpStream::connect(address).await.unwrap_err();
    }
}

#[tokio::test]
async fn servers_end_with_the_last_client() {
    let client = shop(FREE, Some(FREE)).await.unwrap();
    let admin = client.admin_address().unwrap().clone();
    let webhook = client.webhook_address().unwrap().clone();
    let last = client.clone();
    drop(client);
    assert_eq!(ask(&admin, "GET /health", &[], "").await.0, 200);
    drop(last);
    refuses(&admin).await;
    refuses(&webhook).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let client = shop(&*format!("unix:{}", path.display()), None).await.unwrap();
    assert_eq!(client.admin_address(), Some(&ListenAddress::Unix(path.clone())));
    tokio::net::UnixStream::connect(&path).await.unwrap();
    client.stop().await;
    assert!(!path.exists());
}
