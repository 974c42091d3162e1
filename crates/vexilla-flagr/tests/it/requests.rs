//! What a request looks like, and what statuses mean.

use vexilla_domain::{FlagSource, Secret, SourceErrorKind, Strictness};
use vexilla_flagr::{Auth, FlagrConfig, FlagrSource, SharedAuth};
use wiremock::ResponseTemplate;

use crate::flagr::{EXPORT, Flagr, MAX_ID, changed, error, export, json, max_id, source};

#[tokio::test]
async fn requests_say_who_asks_and_take_gzip() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, max_id(1)).await;
    flagr.answer(EXPORT, export(&[1])).await;
    changed(&flagr.source(), None).await;
    for request in flagr.0.received_requests().await.unwrap() {
        let header = |name: &str| request.headers.get(name).map(|it| it.to_str().unwrap());
        assert_eq!(header("user-agent"), Some(concat!("vexilla/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(header("accept"), Some("application/json"));
        assert_eq!(header("accept-encoding"), Some("gzip"));
        assert_eq!(header("authorization"), None);
    }
}

#[tokio::test]
async fn credentials_go_with_every_request() {
    let basic = Auth::Basic { user: "ann".into(), password: Secret::new("pw") };
    let own = Auth::Header { name: "X-Key".into(), value: Secret::new("k") };
    for (auth, name, value) in [
        (Auth::Bearer(Secret::new("t")), "authorization", "Bearer t"),
        (basic, "authorization", "Basic YW5uOnB3"),
        (own, "x-key", "k"),
    ] {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, max_id(1)).await;
        flagr.answer(EXPORT, export(&[1])).await;
        changed(&flagr.source_with(|it| it.auth = auth), None).await;
        let requests = flagr.0.received_requests().await.unwrap();
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|it| it.headers.get(name).unwrap() == value));
    }
}

#[tokio::test]
async fn credentials_may_be_replaced_while_they_are_in_use() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, max_id(1)).await;
    flagr.answer(EXPORT, export(&[1])).await;
    let bearer = |token| SharedAuth::new(Auth::Bearer(Secret::new(token))).unwrap();
    let auth = bearer("old");
    let source = flagr.source_with(|it| it.auth = Auth::Shared(auth.clone()));
    changed(&source, None).await;
    auth.replace(&bearer("new"));
    changed(&source, None).await;
    let requests = flagr.0.received_requests().await.unwrap();
    let sent: Vec<_> = requests.iter().map(|it| &it.headers["authorization"]).collect();
    assert_eq!(sent, ["Bearer old", "Bearer old", "Bearer new", "Bearer new"]);
}

#[tokio::test]
async fn a_prefix_stands_before_every_path() {
    let flagr = Flagr::start().await;
    flagr.answer("/foo/api/v1/flags/snapshots/max_id", max_id(1)).await;
    flagr.answer("/foo/api/v1/export/eval_cache/json", export(&[1])).await;
    flagr.answer("/foo/api/v1/health", json("{\"status\":\"OK\"}\n")).await;
    for end in ["/foo", "/foo/"] {
        let source = source(&format!("{}{end}", flagr.0.uri()), |_| {});
        assert_eq!(changed(&source, None).await.count().0, 1);
        source.health().await.unwrap();
        assert_eq!(source.describe(), format!("Flagr at {}/foo", flagr.0.uri()));
        assert_eq!(source.strictness(), Strictness::AsStored);
    }
    let error = flagr.source().health().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /api/v1/health answered 404 Not Found: check the address and its path prefix"
    );
}

#[tokio::test]
async fn statuses_say_what_can_be_done() {
    use SourceErrorKind::{Invalid, Unauthorized, Unavailable};
    let wants = "it wants credentials, none are configured";
    let login = "as a redirect to a login page does";
    for (status, kind, text) in [
        (
            301,
            Invalid,
            "301 Moved Permanently: redirects are not followed, configure the new address",
        ),
        (302, Unauthorized, &*format!("302 Found, {login}: {wants}")),
        (304, Invalid, "304 Not Modified"),
        (307, Unauthorized, &format!("307 Temporary Redirect, {login}: {wants}")),
        (401, Unauthorized, &format!("401 Unauthorized: {wants}")),
        (403, Unauthorized, &format!("403 Forbidden: {wants}")),
        (404, Invalid, "404 Not Found: check the address and its path prefix"),
        (422, Invalid, "422 Unprocessable Entity"),
        (429, Unavailable, "429 Too Many Requests"),
        (500, Unavailable, "500 Internal Server Error"),
        (501, Invalid, "501 Not Implemented"),
        (503, Unavailable, "503 Service Unavailable"),
    ] {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, max_id(1)).await;
        flagr.answer(EXPORT, ResponseTemplate::new(status)).await;
        let error = error(&flagr.source()).await;
        assert_eq!(error.to_string(), format!("GET {EXPORT} answered {text}"));
        assert_eq!(error.kind(), kind, "{status}");
    }
}

#[tokio::test]
async fn a_refused_probe_is_not_a_missing_one() {
    for (status, kind) in
        [(401, SourceErrorKind::Unauthorized), (500, SourceErrorKind::Unavailable)]
    {
        let flagr = Flagr::start().await;
        flagr.answer(MAX_ID, ResponseTemplate::new(status)).await;
        flagr.answer(EXPORT, export(&[1])).await;
        assert_eq!(error(&flagr.source()).await.kind(), kind);
        assert_eq!(flagr.asked().await, (1, 0));
    }
}

#[tokio::test]
async fn refused_credentials_are_not_told() {
    let flagr = Flagr::start().await;
    flagr.answer(MAX_ID, ResponseTemplate::new(401)).await;
    let source = flagr.source_with(|it| it.auth = Auth::Bearer(Secret::new("hunter2")));
    let error = error(&source).await;
    assert_eq!(
        error.to_string(),
        format!("GET {MAX_ID} answered 401 Unauthorized: check the credentials")
    );
    assert!(!format!("{source:?} {error:?}").contains("hunter2"));
}

#[test]
fn a_source_is_a_shared_port_and_needs_no_provider() {
    fn port(_: impl FlagSource + 'static) {}
    port(FlagrSource::new(FlagrConfig::new("http://127.0.0.1:1")).unwrap());
    // An error only where the system has no certificates at all; no panic anywhere.
    match FlagrSource::new(FlagrConfig::new("https://127.0.0.1:1")) {
        Ok(source) => assert_eq!(source.describe(), "Flagr at https://127.0.0.1:1"),
        Err(error) => assert_eq!(error.field(), "url"),
    }
}
