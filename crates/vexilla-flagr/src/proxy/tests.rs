//! What a proxy must be.

use super::*;

fn refused(proxy: HttpProxy) -> String {
    read(proxy).err().unwrap().to_string()
}

#[test]
fn proxies() {
    assert!(
        !read(HttpProxy::new("http://proxy:3128")).unwrap_or_else(|it| panic!("{it}")).uses_tls
    );
    assert!(read(HttpProxy::new("https://proxy/")).unwrap_or_else(|it| panic!("{it}")).uses_tls);
    assert_eq!(
        refused(HttpProxy::new("proxy:3128")),
        "proxy: `proxy:3128` has no scheme: put `http://` or `https://` in front"
    );
    assert_eq!(
        refused(HttpProxy::new("socks5://proxy")),
        "proxy: `socks5://proxy` has another scheme than `http` and `https`"
    );
    assert_eq!(
        refused(HttpProxy::new("http://ann:hunter2@proxy")),
        "proxy: `http://[redacted]@proxy` holds credentials: give them as the login of the proxy"
    );
    assert_eq!(refused(HttpProxy::new("http://proxy/x")), "proxy: `http://proxy/x` has a path");
    let colon = HttpProxy::new("http://proxy").with_login("a:b", Secret::new("hunter2"));
    assert_eq!(refused(colon), "proxy.user: `a:b` cannot be a user name: it holds a colon");
}

#[test]
fn its_secrets_are_never_printed() {
    let proxy =
        HttpProxy::new("http://ann:hunter2@proxy").with_login("ann", Secret::new("hunter2"));
    let printed = format!("{proxy:?}");
    assert!(!printed.contains("hunter2") && printed.contains("[redacted]@proxy"), "{printed}");
}
