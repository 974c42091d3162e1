//! Who counts as this machine.

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};

use super::refused;

fn check(name: HeaderName, value: &str, is_answered: bool) {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost:19000"));
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    assert_eq!(refused(&headers).is_none(), is_answered, "{value}");
}

#[test]
fn only_names_of_this_machine_are_answered() {
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1:19000", "127.9.9.9", "[::1]:19000"] {
        check(HOST, host, true);
        check(ORIGIN, &format!("http://{host}"), true);
    }
    for host in ["rebound.example:19000", "localhost.example", "10.0.0.1", "[::2]", "", "a b", "@"]
    {
        check(HOST, host, false);
        check(ORIGIN, &format!("https://{host}"), false);
    }
    check(ORIGIN, "null", false);
    assert_eq!(refused(&HeaderMap::new()), None, "HTTP/1.0 has no host");
}

#[test]
fn what_a_browser_calls_cross_site_is_refused() {
    let name = HeaderName::from_static("sec-fetch-site");
    check(name.clone(), "cross-site", false);
    for site in ["same-origin", "same-site", "none"] {
        check(name.clone(), site, true);
    }
}
