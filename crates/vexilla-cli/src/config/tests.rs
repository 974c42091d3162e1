//! Credentials of the environment.

use super::{auth, header};

/// Token, user and password; what comes of them, without secrets.
#[track_caller]
fn check(given: [&str; 3], expected: &str) {
    let [token, user, password] = given.map(|it| Some(it.to_owned()));
    match auth(token, user, password) {
        Ok(auth) => assert_eq!(format!("{auth:?}"), expected),
        Err(error) => assert!(error.to_string().ends_with(expected), "{error}"),
    }
}

#[test]
fn a_flagr_is_told_a_token_or_a_password() {
    check(["", "", ""], "None");
    check(["t", "", ""], "Bearer([redacted])");
    check(["", "u", "p"], r#"Basic { user: "u", password: [redacted] }"#);
    check(["t", "u", "p"], "VEXILLA_FLAGR_TOKEN");
    check(["t", "", "p"], "VEXILLA_FLAGR_TOKEN");
    check(["", "u", ""], "VEXILLA_FLAGR_USER");
    check(["", "", "p"], "VEXILLA_FLAGR_PASSWORD");
}

#[test]
fn a_header_has_a_name_and_a_value() {
    let read = header("Authorization: Bearer a:b").unwrap();
    assert_eq!((&*read.name, read.value), ("Authorization", "Bearer a:b".into()));
    assert!(header("Bearer").is_err());
    assert!(header(": value").is_err());
}
