//! What wrk is told, and what it says.

use super::{lua, rate_of};
use crate::load::probe::{Expected, Probe};

#[test]
fn a_rate() {
    let said = "Running 1s test @ http://h/\n  1 threads and 32 connections\nRequests/sec:  12345.67\nTransfer/sec: 1MB";
    assert!((rate_of(said).unwrap() - 12_345.67).abs() < 0.001);
    for wrong in
        ["Non-2xx or 3xx responses: 7", "  Socket errors: connect 0, read 3, write 0, timeout 0"]
    {
        assert!(
            rate_of(&format!("{wrong}\n{said}")).unwrap_err().to_string().starts_with("wrk saw")
        );
    }
    assert!(rate_of("nothing").is_err());
}

#[test]
fn a_script() {
    let probe = Probe {
        authority: "127.0.0.1:1".into(),
        method: "POST",
        path: "/",
        header: Some(("If-None-Match", "\"1\"".into())),
        body: r#"{"a":"]]\n"}"#.into(),
        expected: Expected::NotModified,
    };
    let script = lua(&probe);
    assert!(script.contains(r#"wrk.body = [==[{"a":"]]\n"}]==]"#), "{script}");
    assert!(script.contains(r#"wrk.headers[ [==[If-None-Match]==] ] = [==["1"]==]"#), "{script}");
}
