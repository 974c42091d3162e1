//! What a configuration refuses.

use super::*;

fn check(url: &str, expected: &str) {
    let checked = FlagrConfig::new(url).check();
    assert_eq!(checked.map_or_else(|error| error.to_string(), |url| url.to_string()), expected);
}

#[test]
fn addresses() {
    check("http://flagr:18000", "http://flagr:18000/");
    check("https://flagr.example.org/foo/", "https://flagr.example.org/foo/");
    check("HTTP://[::1]:18000/a/b", "http://[::1]:18000/a/b");

    let no_scheme = "has no scheme: put `http://` or `https://` in front";
    check("", &format!("url: `` {no_scheme}"));
    check("flagr:18000", &format!("url: `flagr:18000` {no_scheme}"));
    check("ann:pw@flagr:18000", &format!("url: `[redacted]@flagr:18000` {no_scheme}"));
    check("ftp://flagr", "url: `ftp://flagr` has another scheme than `http` and `https`");
    check("http://", "url: `http://` is not a URL");
    check("http://flagr:70000", "url: `http://flagr:70000` is not a URL");
    check(
        "http://ann:pw@flagr/",
        "url: `http://[redacted]@flagr/` holds credentials: give them as `auth`",
    );
    check(
        "http://ann@flagr/",
        "url: `http://[redacted]@flagr/` holds credentials: give them as `auth`",
    );
    check("http://ann:p/w@flagr/", "url: `http://[redacted]@flagr/` is not a URL");
    check("http://flagr/?token=abc", "url: `http://flagr/?[redacted]` has a query");
    check("http://flagr/#top", "url: `http://flagr/#[redacted]` has a fragment");
}

#[test]
fn nothing_may_be_zero() {
    let check = |field: &str, zero: fn(&mut FlagrConfig)| {
        let mut config = FlagrConfig::new("http://flagr");
        zero(&mut config);
        let error = config.check().unwrap_err();
        assert_eq!(error.field(), field);
        assert!(error.to_string().starts_with(&format!("{field}: `0")), "{error}");
    };
    check("connect_timeout", |it| it.connect_timeout = Duration::ZERO);
    check("timeout", |it| it.timeout = Duration::ZERO);
    check("bulk_idle_timeout", |it| it.bulk_idle_timeout = Duration::ZERO);
    check("bulk_timeout", |it| it.bulk_timeout = Duration::ZERO);
    check("export_lag", |it| it.export_lag = Duration::ZERO);
    check("evaluation_timeout", |it| it.evaluation_timeout = Duration::ZERO);
    check("retry_base", |it| it.retry_base = Duration::ZERO);
    check("retry_max", |it| it.retry_max = Duration::ZERO);
    check("retry_after_max", |it| it.retry_after_max = Duration::ZERO);
    check("max_evaluation_bytes", |it| it.max_evaluation_bytes = 0);
    check("max_batch_evaluations", |it| it.max_batch_evaluations = 0);
    check("max_answer_bytes", |it| it.max_answer_bytes = 0);
    check("max_export_bytes", |it| it.max_export_bytes = 0);
}

#[test]
fn printing_it_tells_no_secret() {
    let printed = format!("{:?}", FlagrConfig::new("http://ann:pw@flagr/?token=abc"));
    assert!(printed.contains("http://[redacted]@flagr/?[redacted]"), "{printed}");
}

#[test]
fn other_clients_of_the_same_server_are_told_how_to_reach_it() {
    let mut config = FlagrConfig::new("https://Flagr.example/flags/");
    let address = config.origin_and_prefix().unwrap();
    assert_eq!(address, ("https://flagr.example".to_owned(), "/flags".to_owned()));
    // Each client has its own HTTP versions, and may insist on naming them itself.
    assert_eq!(config.tls().unwrap().alpn_protocols, Vec::<Vec<u8>>::new());
    config.extra_roots = b"no certificate".to_vec();
    assert_eq!(config.tls().unwrap_err().field(), "extra_roots");
}
