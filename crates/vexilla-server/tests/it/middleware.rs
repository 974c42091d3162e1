//! The middleware in front of a small service.

use std::convert::Infallible;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use vexilla_domain::{Context, Value};
use vexilla_server::middleware::{
    ContextConfig, ContextLayer, PeerAddress, SessionCookie, TrustedProxies,
};

/// What stands for a client.
#[derive(Debug, Clone, PartialEq)]
struct Client(u8);

/// Sends a request through; gives the context that arrives behind, and the cookie that was set.
async fn send(config: &ContextConfig, headers: &[(&str, &str)]) -> (Context, Option<String>) {
    let inner = service_fn(|request: Request<()>| async move {
        assert_eq!(request.extensions().get::<Client>(), Some(&Client(7)));
        let context = request.extensions().get::<Context>().unwrap().clone();
        Ok::<_, Infallible>(Response::new(context))
    });
    let mut request =
        Request::put("/shop/cart?secret=1").extension(PeerAddress([10, 0, 0, 1].into()));
    for (name, value) in headers {
        request = request.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let service = ContextLayer::new(Client(7), config.clone()).layer(inner);
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    let cookie = response.headers().get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
    (response.into_body(), cookie)
}

async fn id(config: &ContextConfig, headers: &[(&str, &str)]) -> String {
    send(config, headers).await.0.entity_id().to_owned()
}

#[tokio::test]
async fn the_entity_is_who_the_header_or_the_cookie_says() {
    let config = ContextConfig::default();
    for (headers, expected) in [
        (&[][..], ""),
        (&[("x-user-id", "ann")], "ann"),
        (&[("x-user-id", " ann ")], "ann"),
        (&[("x-user-id", "änne")], "änne"),
        (&[("cookie", "user_id=bob")], "bob"),
        (&[("cookie", "a=b; user_id=bob; c=d")], "bob"),
        (&[("cookie", "a=b"), ("cookie", "user_id=\"bob\"")], "bob"),
        (&[("cookie", "xuser_id=bob; user_idx=bob; user_id")], ""),
        (&[("cookie", "user_id=")], ""),
        (&[("cookie", "theme=dünkel; user_id=bob; c=é")], "bob"),
        (&[("cookie", "user_id=jörg")], "jörg"),
        (&[("cookie", "a=b=c; user_id=bob=x")], "bob=x"),
        (&[("x-user-id", "ann"), ("cookie", "user_id=bob")], "ann"),
        (&[("x-user-id", ""), ("cookie", "user_id=bob")], "bob"),
    ] {
        let (context, cookie) = send(&config, headers).await;
        assert_eq!((context.entity_id(), cookie), (expected, None), "{headers:?}");
        assert_eq!(context.entity_type(), "user");
    }
    let mut config = ContextConfig::default();
    (config.user_header, config.user_cookie) = (None, None);
    assert_eq!(id(&config, &[("x-user-id", "ann"), ("cookie", "user_id=bob")]).await, "");
}

#[tokio::test]
async fn attributes_are_those_of_the_list_and_never_secrets() {
    let mut config = ContextConfig::default();
    for name in ["x-tenant", "accept-language", "x-absent", "x-bytes"] {
        config = config.with_header(name.parse().unwrap()).unwrap();
    }
    config.trusted_proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
    let headers = [
        ("x-tenant", "acme"),
        ("accept-language", "de"),
        ("accept-language", "en"),
        ("authorization", "Bearer hunter2"),
        ("cookie", "session=hunter2"),
        ("x-other", "hunter2"),
        ("x-forwarded-for", "198.51.100.1"),
    ];
    let (context, _) = send(&config, &headers).await;
    let attributes: Vec<_> = context.object().unwrap().iter().collect();
    let text = |it: &str| Value::from(it);
    let expected = [
        ("client_ip", text("198.51.100.1")),
        ("header_accept_language", text("de, en")),
        ("header_x_tenant", text("acme")),
        ("method", text("PUT")),
        ("path", text("/shop/cart")),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, value)| (*name, value)).collect();
    assert_eq!(attributes, expected);
    assert_eq!(context.headers(), []);
    assert!(!format!("{context:?}").contains("hunter2"), "{context:?}");
    for name in ["authorization", "Proxy-Authorization", "cookie", "set-cookie"] {
        let error = ContextConfig::default().with_header(name.parse().unwrap()).unwrap_err();
        let expected =
            format!("the header `{}` holds secrets and stays out of contexts", name.to_lowercase());
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn an_anonymous_user_keeps_an_id_for_the_session() {
    let mut config = ContextConfig::default();
    config.anonymous = Some(SessionCookie { name: "anon".to_owned(), secure: false });
    let (first, cookie) = send(&config, &[]).await;
    let cookie = cookie.unwrap();
    let kept = cookie.strip_suffix("; Path=/; HttpOnly; SameSite=Lax").unwrap();
    assert_eq!(kept, format!("anon={}", first.entity_id()));
    let (again, set) = send(&config, &[("cookie", kept)]).await;
    assert_eq!((again.entity_id(), set), (first.entity_id(), None));
    assert_ne!(id(&config, &[]).await, first.entity_id(), "somebody else");
    // Who is known needs none, and what was not made here is not taken.
    let (known, set) = send(&config, &[("x-user-id", "ann"), ("cookie", kept)]).await;
    assert_eq!((known.entity_id(), set), ("ann", None));
    for forged in ["anon=admin", "anon=", "anon=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"] {
        let (context, set) = send(&config, &[("cookie", forged)]).await;
        assert!(set.unwrap().starts_with(&format!("anon={};", context.entity_id())), "{forged}");
    }
    config.anonymous = Some(SessionCookie { name: "anon".to_owned(), secure: true });
    assert!(send(&config, &[]).await.1.unwrap().ends_with("; SameSite=Lax; Secure"));
    config.anonymous = Some(SessionCookie { name: "a=b; c".to_owned(), secure: true });
    assert_eq!(send(&config, &[]).await.1, None, "no cookie can have this name");
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_handler_takes_both_as_an_argument() {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use http_body_util::BodyExt;
    use vexilla_server::middleware::RequestFlags;

    async fn handler(flags: RequestFlags<Client>) -> String {
        format!("{:?} {} {:?}", flags.client, flags.context.entity_id(), flags.context.object())
    }
    let bare = axum::Router::new().route("/", axum::routing::get(handler));
    let layered = bare.clone().layer(ContextLayer::new(Client(7), ContextConfig::default()));
    let request = || {
        let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711)));
        let request = Request::get("/").header("x-user-id", "ann").extension(peer);
        request.body(axum::body::Body::empty()).unwrap()
    };
    let response = layered.oneshot(request()).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.starts_with("Client(7) ann ") && body.contains("192.0.2.1"), "{body}");
    assert_eq!(bare.oneshot(request()).await.unwrap().status(), 500);
}
