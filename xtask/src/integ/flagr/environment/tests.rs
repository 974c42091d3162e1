//! The variables of a Flagr.

use std::path::Path;

use super::Start;

fn check(start: &Start, name: &str, expected: Option<&str>) {
    let environment = start.environment("0.0.0.0", 40123, Path::new("files"));
    let mut found = environment.iter().filter(|it| it.0 == name).map(|it| it.1.as_str());
    assert_eq!(found.next().map(|it| it.replace('\\', "/")).as_deref(), expected, "{name}");
    assert_eq!(found.next(), None, "{name}");
}

#[test]
fn with_a_database() {
    let start = Start::default();
    check(&start, "HOST", Some("0.0.0.0"));
    check(&start, "PORT", Some("40123"));
    check(&start, "FLAGR_DB_DBDRIVER", Some("sqlite3"));
    check(&start, "FLAGR_DB_DBCONNECTIONSTR", Some("files/flagr.sqlite"));
    check(&start, "FLAGR_EVALCACHE_REFRESHINTERVAL", Some("100ms"));
    check(&start, "FLAGR_WEB_PREFIX", None);
}

#[test]
fn as_a_scenario_wants_it() {
    let start = Start {
        settings: vec![("FLAGR_PROMETHEUS_ENABLED", "true".to_owned())],
        prefix: "/flagr",
        authorization: None,
        flags: Some("{}".to_owned()),
    };
    check(&start, "FLAGR_DB_DBDRIVER", Some("json_file"));
    check(&start, "FLAGR_DB_DBCONNECTIONSTR", Some("files/flags.json"));
    check(&start, "FLAGR_WEB_PREFIX", Some("/flagr"));
    check(&start, "FLAGR_PROMETHEUS_ENABLED", Some("true"));
}
