//! What `proxies` promises.

use http::{Extensions, HeaderMap, HeaderValue};

use super::{PeerAddress, TrustedProxies};

/// The client of a request from this peer with these lines of `X-Forwarded-For`.
fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
    let trusted = TrustedProxies::parse(trusted.iter().copied()).unwrap();
    let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
    if !peer.is_empty() {
        extensions.insert(PeerAddress(peer.parse().unwrap()));
    }
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    trusted.client(&extensions, &headers).map_or_else(String::new, |it| it.to_string())
}

#[test]
fn only_trusted_proxies_are_believed() {
    let inside = &["10.0.0.0/8", "192.0.2.7", "fd00::/8"][..];
    for (peer, lines, expected) in [
        ("203.0.113.9", &[][..], "203.0.113.9"),
        ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["6.6.6.6, 198.51.100.1, 192.0.2.7 ,10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", &["6.6.6.6", "198.51.100.1, 10.2.2.2"], "198.51.100.1"),
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", &["[2001:db8::1]:80"], "2001:db8::1"),
        ("fd00::1", &["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["6.6.6.6, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["6.6.6.6, é"], "10.0.0.1"),
        ("", &["198.51.100.1"], ""),
    ] {
        assert_eq!(client(inside, peer, lines), expected, "{peer} {lines:?}");
    }
    assert_eq!(client(&[], "10.0.0.1", &["198.51.100.1"]), "10.0.0.1", "nobody is by default");
}

#[test]
fn what_is_no_network_is_refused() {
    for text in ["", "10.0.0.0/33", "proxy", "10.0.0"] {
        let error = TrustedProxies::parse(["10.0.0.1", text]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{text}` is neither")), "{error}");
    }
}
