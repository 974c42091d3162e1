//! What certificates must be.

use super::*;

const ROOT: &str = include_str!("../../tests/it/certificates/root.pem");
const CHAIN: &str = include_str!("../../tests/it/certificates/client.pem");
const KEY: &str = include_str!("../../tests/it/certificates/client.key");
const OTHER_KEY: &str = include_str!("../../tests/it/certificates/server.key");

fn check(address: &str, roots: &str, client: Option<(&str, &str)>, expected: Option<&str>) {
    let url = Url::parse(address).unwrap();
    let client = client.map(|(chain, key)| ClientCertificate::new(chain, Secret::new(key)));
    let certificates = SharedCertificates::new(roots.as_bytes(), client);
    let read = certificates.and_then(|it| read(&it, url.scheme() == "https", &url));
    let told = read.err().map(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(!format!("{error:?}{cause}").contains("hunter2"), "{error:?}");
        error.to_string()
    });
    assert_eq!(told.as_deref(), expected);
}

#[test]
fn roots() {
    check("https://flagr", ROOT, None, None);
    check("https://flagr", &format!("a root\n{ROOT}\n{CHAIN}"), None, None);
    for address in ["https://flagr", "http://flagr"] {
        let check = |roots: &str, expected: &str| check(address, roots, None, Some(expected));
        check("hunter2", "extra_roots: `7 bytes` hold no certificate in PEM");
        let cut = "-----BEGIN CERTIFICATE-----\nhunter2\n";
        check(cut, "extra_roots: `35 bytes` are not PEM");
        check(
            KEY,
            &format!("extra_roots: `{} bytes` hold no certificate in PEM", KEY.trim().len()),
        );
        let no_der =
            format!("{ROOT}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        check(&no_der, "extra_roots: `certificate 2` cannot be read");
    }
    check("http://flagr", "", None, None);
    check("http://flagr", " \n", None, None);
}

#[test]
fn client_certificates() {
    let check = |chain, key, expected| check("https://flagr", ROOT, Some((chain, key)), expected);
    check(CHAIN, KEY, None);
    check("", KEY, Some("client_certificate: `0 bytes` hold no certificate in PEM"));
    check(
        CHAIN,
        "hunter2",
        Some("client_certificate.key: `[redacted]` is not a private key in PEM"),
    );
    let bad_line = "-----BEGIN hunter2 PRIVATE\n";
    check(
        CHAIN,
        bad_line,
        Some("client_certificate.key: `[redacted]` is not a private key in PEM"),
    );
    check(CHAIN, OTHER_KEY, Some("client_certificate: `[PEM]` and its key do not go together"));
}

#[test]
fn a_client_certificate_is_for_tls() {
    check(
        "http://flagr",
        "",
        Some((CHAIN, KEY)),
        Some("client_certificate: `[PEM]` is never shown to a server at an `http` address"),
    );
    let certificate = ClientCertificate::new(CHAIN, Secret::new("hunter2"));
    assert!(!format!("{certificate:?}").contains("hunter2"));
}
