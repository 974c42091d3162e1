//! Statuses of evaluations.

use vexilla_domain::RemoteErrorKind::{self, BadFlag, BadRequest, Refused, Unavailable};

use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal { status: StatusCode::from_u16(status).unwrap(), body: body.into() }
}

#[test]
fn statuses() {
    let check = |status, body: &str, kind: RemoteErrorKind, told: &str| {
        let error = refusal(status, body).into_error("POST /x", false);
        assert_eq!(
            (error.kind(), &*error.to_string()),
            (kind, &*format!("POST /x answered {told}"))
        );
    };
    let boom = r#"{"code":602,"message":"entities in body\nis required"}"#;
    check(400, boom, BadRequest, "400 Bad Request: `entities in body is required`");
    check(422, boom, BadRequest, "422 Unprocessable Entity: `entities in body is required`");
    check(413, "<html>", BadRequest, "413 Payload Too Large");
    check(407, "", Refused, "407 Proxy Authentication Required");
    check(400, "<html>", BadRequest, "400 Bad Request");
    check(
        401,
        "Not authorized",
        Refused,
        "401 Unauthorized: it wants credentials, none are configured",
    );
    check(403, "", Refused, "403 Forbidden: it wants credentials, none are configured");
    check(404, "404 page not found", Refused, "404 Not Found");
    check(408, "", Unavailable, "408 Request Timeout");
    check(429, boom, Unavailable, "429 Too Many Requests");
    check(500, r#"{"message":"db"}"#, Unavailable, "500 Internal Server Error: `db`");
    check(
        500,
        "PANIC: index [3]\ngoroutine 1",
        BadFlag,
        "500 Internal Server Error: `PANIC: index [3]`",
    );
    check(503, "PANIC: index", Unavailable, "503 Service Unavailable");
    check(501, r#""operation x""#, Unavailable, "501 Not Implemented");
    check(204, "", Unavailable, "204 No Content");
    for (status, name) in [(301, "Moved Permanently"), (302, "Found"), (307, "Temporary Redirect")]
    {
        check(status, "", Unavailable, &format!("{status} {name}: redirects are not followed"));
    }
    let refused = refusal(401, "").into_error("POST /x", true).to_string();
    assert_eq!(refused, "POST /x answered 401 Unauthorized: check the credentials");
}

/// It may repeat what it was asked.
#[test]
fn what_flagr_says_stands_apart_from_the_message() {
    for (status, body, message) in [
        (400, r#"{"message":"ana@example.com"}"#, "POST /x answered 400 Bad Request"),
        (404, r#"{"message":"ana@example.com"}"#, "POST /x answered 404 Not Found"),
        (500, "PANIC: ana@example.com", "POST /x answered 500 Internal Server Error"),
        (503, r#"{"message":"ana@example.com"}"#, "POST /x answered 503 Service Unavailable"),
    ] {
        let error = refusal(status, body).into_error("POST /x", false);
        assert_eq!(error.message(), message);
        assert!(error.to_string().contains("ana@example.com"), "{error}");
    }
}

#[test]
fn long_words_are_cut() {
    let body = format!(r#"{{"message":"{}"}}"#, "ü".repeat(10_000));
    let told = refusal(400, &body).into_error("POST /x", false).to_string();
    assert_eq!(told.chars().filter(|it| *it == 'ü').count(), SHOWN);
    let told = refusal(500, &format!("PANIC{}", "x".repeat(10_000))).into_error("POST /x", false);
    assert!(told.to_string().len() < 400);
}

#[test]
fn the_limit_on_batches_is_found() {
    let check = |status, message: &str, expected| {
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert_eq!(refusal(status, &body).batch_limit(), expected, "{message}");
    };
    check(400, "batch evaluation size 4 exceeds maximum allowed size of 3", Some(3));
    check(400, "batch evaluation size 4 exceeds maximum allowed size of 0", Some(0));
    check(422, "batch evaluation size 4 exceeds maximum allowed size of 3", None);
    check(400, "batch evaluation size x exceeds maximum allowed size of 3", None);
    check(400, "batch evaluation size 4 exceeds maximum allowed size of", None);
    check(
        400,
        "batch evaluation size 4 exceeds maximum allowed size of 99999999999999999999999",
        None,
    );
    check(400, "boom", None);
    assert_eq!(refusal(400, "batch").batch_limit(), None);
}
