//! What arguments become.

use clap::CommandFactory;
use vexilla_domain::json::write_value;

use super::{Cli, assignment};

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[track_caller]
fn check(argument: &str, expected: &str) {
    let (key, value) = assignment(argument).unwrap();
    let mut json = Vec::new();
    write_value(&mut json, &value);
    assert_eq!(format!("{key} {}", String::from_utf8(json).unwrap()), expected);
}

#[test]
fn a_set_value_is_json_or_else_a_text() {
    check("country=US", r#"country "US""#);
    check("age=30", "age 30");
    check("age=30.50", "age 30.50");
    check("zip=007", r#"zip "007""#);
    check(r#"version="30""#, r#"version "30""#);
    check("beta=true", "beta true");
    check("beta=True", r#"beta "True""#);
    check("team=null", "team null");
    check(r#"tags=["a", 1]"#, r#"tags ["a",1]"#);
    check(r#"device={"os":"ios"}"#, r#"device {"os":"ios"}"#);
    check("formula=a=b", r#"formula "a=b""#);
    check("empty=", r#"empty """#);
}

#[test]
fn a_set_needs_a_key() {
    assert!(assignment("country").is_err());
    assert!(assignment("=US").is_err());
}
