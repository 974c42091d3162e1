//! Servers that go wrong: each time an error of the right kind, in time, and never "no flags".

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use vexilla_domain::SourceErrorKind::{self, Invalid, Unauthorized, Unavailable};
use vexilla_domain::{Depth, FlagSource};

use crate::flagr::{EXPORT, export_body, source};
use crate::raw::{Then, nobody, serve};

/// Milliseconds instead of seconds.
const SHORT: Duration = Duration::from_millis(60);

/// Checks the error that the export ends in.
async fn check(bytes: impl Into<Vec<u8>>, then: Then, kind: SourceErrorKind, text: &str) {
    let address = serve(bytes, then).await;
    let source = source(&address, |it| {
        if let Then::IsSilent = then {
            it.bulk_idle_timeout = SHORT;
        }
        it.max_export_bytes = 1 << 20;
    });
    let error = source.fetch(None, Depth::Probe).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with(&format!("GET {EXPORT}")) && told.contains(text), "{told}");
    assert_eq!(error.kind(), kind, "{told}");
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n{body}")
}

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn nobody_listens() {
    let source = source(&nobody().await, |_| {});
    let error = source.health().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /api/v1/health: cannot connect");
    assert_eq!(error.kind(), Unavailable);
    let cause = std::error::Error::source(&error).unwrap();
    assert!(!cause.to_string().contains("127.0.0.1"), "{cause}");
}

#[tokio::test]
async fn tls_is_asked_of_a_server_without() {
    let address = serve("nonsense\n", Then::Closes).await.replace("http:", "https:");
    // Only a system without certificates refuses the address itself.
    if let Ok(source) = vexilla_flagr::FlagrSource::new(vexilla_flagr::FlagrConfig::new(address)) {
        assert_eq!(source.health().await.unwrap_err().kind(), Unavailable);
    }
}

#[tokio::test]
async fn silence() {
    check("", Then::IsSilent, Unavailable, ": not a byte within 60ms").await;
    check(answer("200 OK", JSON, ""), Then::IsSilent, Unavailable, ": not a byte within 60ms")
        .await;
    check(
        answer("200 OK", JSON, "{\"Flags\":["),
        Then::IsSilent,
        Unavailable,
        ": not a byte within 60ms",
    )
    .await;
}

#[tokio::test]
async fn small_calls_and_all_of_a_bulk_read_are_limited_too() {
    let address = serve("", Then::IsSilent).await;
    let error = source(&address, |it| it.timeout = SHORT).health().await.unwrap_err();
    assert!(error.to_string().starts_with("GET /api/v1/health: "), "{error}");
    assert_eq!(error.kind(), Unavailable);

    let error = crate::flagr::error(&source(&address, |it| it.bulk_timeout = SHORT)).await;
    assert_eq!(error.to_string(), format!("GET {EXPORT}: the answer was not complete after 60ms"));
    assert_eq!(error.kind(), Unavailable);
}

#[tokio::test]
async fn byte_by_byte() {
    let whole = answer("200 OK", JSON, &export_body(&[1, 2]));
    let source = source(&serve(whole, Then::ByteByByte).await, |_| {});
    assert_eq!(crate::flagr::changed(&source, None).await.count(), (2, Some(2)));

    let address = serve(answer("200 OK", JSON, "{\"Flags\":["), Then::Dawdles).await;
    let source = crate::flagr::source(&address, |it| it.bulk_timeout = SHORT);
    let told = crate::flagr::error(&source).await.to_string();
    assert_eq!(told, format!("GET {EXPORT}: the answer was not complete after 60ms"));
}

#[tokio::test]
async fn broken_connections() {
    check("", Then::Closes, Unavailable, ": no answer").await;
    check("HTTP/1.1 200", Then::Closes, Unavailable, ": no answer").await;
    check("220 mail.example.org ESMTP\r\n", Then::Closes, Unavailable, ": no answer").await;
    let body = export_body(&[1]);
    let longer = format!("{JSON}content-length: {}\r\n", body.len() + 9);
    check(
        answer("200 OK", &longer, &body),
        Then::Closes,
        Unavailable,
        ": the answer broke off after 47 bytes",
    )
    .await;
    let chunked = format!("{JSON}transfer-encoding: chunked\r\n");
    check(
        answer("200 OK", &chunked, "a\r\n{\"Flags\":["),
        Then::Closes,
        Unavailable,
        ": the answer broke off after ",
    )
    .await;
}

#[tokio::test]
async fn cut_json() {
    let expected = " answered something else than expected: line 1, column ";
    check(answer("200 OK", JSON, "{\"Flags\":[{\"ID\":1"), Then::Closes, Invalid, expected).await;
    let shorter = format!("{JSON}content-length: 20\r\n");
    check(answer("200 OK", &shorter, &export_body(&[1])), Then::Closes, Invalid, expected).await;
}

#[tokio::test]
async fn other_things_than_flags() {
    let login = answer("307 Temporary Redirect", "location: /login\r\n", "");
    check(
        login,
        Then::Closes,
        Unauthorized,
        " answered 307 Temporary Redirect, as a redirect to a login page does",
    )
    .await;
    let html =
        answer("200 OK", "content-type: text/html; charset=utf-8\r\n", "<html>Sign in</html>");
    check(
        html,
        Then::Closes,
        Invalid,
        " answered with something else than `application/json`: `text/html; charset=utf-8`",
    )
    .await;
    let untyped = answer("200 OK", "", &export_body(&[1]));
    check(
        untyped,
        Then::Closes,
        Invalid,
        " answered without a content type instead of `application/json`",
    )
    .await;
    check(
        answer("500 Internal Server Error", JSON, "{\"Flags\":[]}"),
        Then::Closes,
        Unavailable,
        " answered 500 ",
    )
    .await;
    check(
        answer("200 OK", JSON, r#"{"message":"boom"}"#),
        Then::Closes,
        Invalid,
        "no member `Flags`",
    )
    .await;
    check(answer("200 OK", JSON, r#"{"Flags":"none"}"#), Then::Closes, Invalid, "line 1, column ")
        .await;
    check(answer("200 OK", JSON, "[]"), Then::Closes, Invalid, "an array instead of ").await;
    check(answer("200 OK", JSON, ""), Then::Closes, Invalid, "the document is empty").await;
}

#[tokio::test]
async fn too_much() {
    let large = " ".repeat(2 << 20);
    check(
        answer("200 OK", JSON, &large),
        Then::Closes,
        Invalid,
        ": the answer has more than 1048576 bytes",
    )
    .await;

    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let mut bytes = answer("200 OK", &format!("{JSON}content-encoding: gzip\r\n"), "").into_bytes();
    bytes.extend(bomb);
    check(bytes, Then::Closes, Invalid, ": the answer has more than 1048576 bytes").await;
}

#[tokio::test]
async fn gzip_is_read_and_broken_gzip_is_an_error() {
    let headers = format!("{JSON}content-encoding: gzip\r\n");
    let packed = |body: &[u8]| [answer("200 OK", &headers, "").as_bytes(), body].concat();
    let whole = gzip(export_body(&[1, 2]).as_bytes());

    let source = source(&serve(packed(&whole), Then::Closes).await, |_| {});
    assert_eq!(crate::flagr::changed(&source, None).await.count().0, 2);

    check(
        packed(&whole[..whole.len() / 2]),
        Then::Closes,
        Unavailable,
        ": the answer broke off after ",
    )
    .await;
    check(
        packed(b"{\"Flags\":[]}"),
        Then::Closes,
        Unavailable,
        ": the answer broke off after 0 bytes",
    )
    .await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
