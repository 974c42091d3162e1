//! Addresses, and what is never printed.

use std::time::Duration;

use vexilla_domain::Secret;

use super::RedisConfig;

#[test]
fn an_address_says_where_and_who() {
    let check = |url: &str, expected: &str, user: Option<&str>, password: Option<&str>, tls| {
        let config = RedisConfig::from_url(url).unwrap();
        assert_eq!(config.describe(), expected, "{url}");
        assert_eq!(config.username.as_deref(), user, "{url}");
        assert_eq!(config.password.as_ref().map(Secret::reveal), password, "{url}");
        assert_eq!(config.tls, tls, "{url}");
    };
    check("redis://cache", "redis cache:6379/0", None, None, false);
    check(" valkey://cache:1234/3\n", "redis cache:1234/3", None, None, false);
    check("rediss://:p%40ss@cache", "redis cache:6379/0", None, Some("p@ss"), true);
    check("redis://me:secret@[::1]:7/2", "redis ::1:7/2", Some("me"), Some("secret"), false);
}

#[test]
fn what_is_no_address_is_not_shown() {
    for url in [
        "",
        "cache:6379",
        "http://me:hunter2@cache",
        "redis://",
        "redis://me:hunter2@cache:port",
        "redis://me:hunter2@cache/first",
        "redis://me:hunter2@cache/-1",
        "redis://me:hunter2@cache/99999999999",
        "unix:///run/hunter2",
    ] {
        let error = RedisConfig::from_url(url).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{url}: {shown}");
    }
}

#[test]
fn a_password_is_not_printed() {
    let config = RedisConfig::from_url("redis://me:hunter2@cache").unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("[redacted]") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_redis_cannot_do_is_refused() {
    let check = |change: fn(&mut RedisConfig), expected: &str| {
        let mut config = RedisConfig::default();
        config.check().unwrap();
        change(&mut config);
        assert_eq!(config.check().unwrap_err().to_string(), expected);
    };
    check(|it| it.host.clear(), "the host is empty");
    check(|it| it.username = Some("me".into()), "a user needs a password");
    check(|it| it.lease = Duration::from_millis(99), "the lease is shorter than 100 ms");
    let no_time = "a timeout of zero leaves Redis no time";
    check(|it| it.connect_timeout = Duration::ZERO, no_time);
    check(|it| it.response_timeout = Duration::ZERO, no_time);
}
