//! Credentials on requests.

use super::*;

fn refused(auth: Auth) -> String {
    SharedAuth::new(auth).unwrap_err().to_string()
}

#[test]
fn secrets_are_never_printed() {
    let secret = || Secret::new("hunter2");
    for auth in [
        Auth::Bearer(secret()),
        Auth::Basic { user: "ann".into(), password: secret() },
        Auth::Header { name: "x-key".into(), value: secret() },
    ] {
        let before = format!("{auth:?}");
        assert!(before.contains("[redacted]") && !before.contains("hunter2"), "{before}");
        let after = format!("{:?}", SharedAuth::new(auth).unwrap());
        assert!(!after.contains("hunter2"), "{after}");
    }
    assert_eq!(secret().to_string(), "[redacted]");
}

#[test]
fn what_no_header_can_carry_is_refused() {
    assert_eq!(
        refused(Auth::Bearer(Secret::new("a\nb"))),
        "auth: `[redacted]` cannot be the value of a header"
    );
    let colon = Auth::Basic { user: "a:b".into(), password: Secret::new("p") };
    assert_eq!(refused(colon), "auth: `a:b` cannot be a user name: it holds a colon");
    let space = Auth::Header { name: "x key".into(), value: Secret::new("v") };
    assert_eq!(refused(space), "auth: `x key` cannot be the name of a header");
}
