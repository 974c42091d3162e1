//! Endpoints of Docker engines, and whose machine they are.

use super::machine;

#[test]
fn whose_machine_it_is() {
    let check = |endpoint, expected: Option<&str>| {
        assert_eq!(machine(endpoint).as_deref(), expected, "{endpoint}");
    };
    check("unix:///var/run/docker.sock", None);
    check("npipe:////./pipe/docker_engine", None);
    check("tcp://127.0.0.1:2375", None);
    check("tcp://localhost:2375", None);
    check("tcp://10.0.0.7:2375", Some("10.0.0.7"));
    check("tcp://builder:2376/", Some("builder"));
    check("ssh://me@builder", Some("builder"));
    check("ssh://me@builder:22", Some("builder"));
    check("", None);
}
