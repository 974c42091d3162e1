//! What `address` promises.

use super::ListenAddress;

#[test]
fn addresses_are_read_and_written() {
    for (text, local) in [
        ("127.0.0.1:18100", true),
        ("127.9.9.9:1", true),
        ("[::1]:18100", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("0.0.0.0:18100", false),
        ("[::]:0", false),
        ("192.0.2.1:80", false),
        ("unix:/run/vexilla.sock", true),
        ("unix:relative.sock", true),
    ] {
        let address: ListenAddress = text.parse().unwrap();
        assert_eq!((address.to_string(), address.is_local()), (text.to_owned(), local));
    }
    for text in ["", "unix:", "localhost:80", "127.0.0.1", ":80", "http://127.0.0.1:80"] {
        let error = text.parse::<ListenAddress>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{text}` is neither")), "{error}");
    }
}
