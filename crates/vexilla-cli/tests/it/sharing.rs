//! `vexilla serve --redis`: what is wrong with it is said without what is secret in it.

use crate::running::{run, said, vexilla};

#[test]
fn an_address_that_is_none_is_not_shown() {
    for address in ["http://:sesame@localhost", "redis://:sesame@localhost:port", "sesame"] {
        let said = run(["serve", "--flagr", "http://127.0.0.1:1", "--redis", address]);
        assert_eq!(said.status, 2, "{}", said.stderr);
        assert!(said.error().starts_with("error: --redis: the address "), "{}", said.stderr);
        assert!(!said.stderr.contains("sesame"), "{}", said.stderr);
    }
}

#[test]
fn a_redis_that_is_away_is_named_and_its_password_is_not() {
    let arguments =
        ["serve", "--log", "trace", "--archive", "off", "--flagr", "http://127.0.0.1:1"];
    let check = |address: &str, password: &str| {
        let mut command = vexilla(arguments.iter().chain(&["--redis", address]));
        let said = said(command.env("VEXILLA_REDIS_PASSWORD", password));
        assert_eq!(said.status, 1, "{}", said.stderr);
        assert!(said.stderr.contains("redis 127.0.0.1:1/2"), "{}", said.stderr);
        assert!(!said.stderr.contains("sesame"), "{}", said.stderr);
        assert!(
            said.error().starts_with("error: Flagr at http://127.0.0.1:1: "),
            "{}",
            said.stderr
        );
    };
    check("redis://127.0.0.1:1/2", "sesame");
    check("redis://:sesame@127.0.0.1:1/2", "");
}
