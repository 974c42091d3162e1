//! Every error names the setting, where it was given, and why.

use super::load;

#[track_caller]
fn check(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)], expected: &str) {
    let wrong = load(file, variables, flags).unwrap_err();
    assert_eq!(wrong.to_string(), expected);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let unknown = |file: &str, expected: &str| check(file, &[], &[], expected);
    unknown(
        "[flagr]\n\ntiemout = \"3s\"",
        "vexilla.toml, line 3: there is no setting `flagr.tiemout`, did you mean `flagr.timeout`?",
    );
    unknown(
        "[flager]\nurl = \"http://flagr\"",
        "vexilla.toml, line 1: there is no setting `flager`, did you mean `flagr`?",
    );
    unknown(
        "sidecar.listner.max_connections = 1",
        "vexilla.toml, line 1: there is no setting `sidecar.listner`, did you mean `sidecar.listener`?",
    );
    unknown("[zzzzzzzzzzzzzz]", "vexilla.toml, line 1: there is no setting `zzzzzzzzzzzzzz`");
    unknown("flagr = 1", "vexilla.toml, line 1: `flagr` is a table: `[flagr]`");
}

#[test]
fn an_unknown_variable_names_the_nearest() {
    let unknown = |variable: &str, expected: &str| check("", &[(variable, "x")], &[], expected);
    unknown(
        "VEXILLA_FLAGR__URI",
        "environment variable VEXILLA_FLAGR__URI: is no setting, did you mean `VEXILLA_FLAGR__URL`?",
    );
    unknown(
        "VEXILLA_FLAGR_TOKN",
        "environment variable VEXILLA_FLAGR_TOKN: is no setting, did you mean `VEXILLA_FLAGR_TOKEN`?",
    );
}

#[test]
fn the_variables_of_kubernetes_are_nobodys_settings() {
    let variables = [
        "VEXILLA_PORT",
        "VEXILLA_PORT_18100_TCP",
        "VEXILLA_PORT_18100_TCP_ADDR",
        "VEXILLA_SERVICE_HOST",
        "VEXILLA_SERVICE_PORT",
        "VEXILLA_SERVICE_PORT_HTTP",
        "VEXILLA_ADMIN_SERVICE_HOST",
        "VEXILLA_ADMIN_PORT_19000_TCP_PROTO",
    ];
    load("", &variables.map(|it| (it, "tcp://10.0.0.1:18100")), &[]).unwrap();
}

#[test]
fn a_value_of_another_kind() {
    let file = |line: &str, reason: &str| {
        check(line, &[], &[], &format!("vexilla.toml, line 1: {reason}"));
    };
    file(
        "flagr.timeout = \"soon\"",
        "flagr.timeout: `soon` is no duration as `30s`: expected number at 0",
    );
    file("flagr.timeout = 5", "flagr.timeout: is a number without a unit: write `30s` or `5m`");
    file("flagr.timeout = \"0s\"", "flagr.timeout: `0s` must be longer than zero");
    file("flagr.max_export_bytes = \"big\"", "flagr.max_export_bytes: `big` is no size as `64MiB`");
    file("flagr.max_export_bytes = 0", "flagr.max_export_bytes: `0` leaves no room");
    file("flagr.retries = -1", "flagr.retries: `-1` is no number from 0");
    file("flagr.retries = 5_000_000_000", "flagr.retries: `5000000000` is too much");
    file("breaker.failure_threshold = 0", "breaker.failure_threshold: `0` is no number from 1");
    file("sidecar.gzip = \"yes\"", "sidecar.gzip: is a text, neither `true` nor `false`");
    file("filter.tags = \"a\"", "filter.tags: is a text, not a list of texts");
    file("filter.tags = [1]", "filter.tags: is a number, not a text");
    file("flagr.url = {}", "flagr.url: is a table, not a text");
    file(
        "evaluation.rollouts = \"nobody\"",
        "evaluation.rollouts: `nobody` is none of `remote` or `local`",
    );
    file("sidecar.web_prefix = \"flags\"", "sidecar.web_prefix: `flags` must begin with a slash");
    file(
        "exposures.spool = \"a\\nb\"",
        "exposures.spool: holds a line break, which a path cannot have here",
    );
    file("log.level = \"loud\"", "log.level: `loud` is no level, as `info` or `vexilla=debug`");
}

#[test]
fn a_variable_and_a_flag_name_themselves() {
    check(
        "",
        &[("VEXILLA_BREAKER__OPEN_FOR", "1")],
        &[],
        "environment variable VEXILLA_BREAKER__OPEN_FOR: `1` is no duration as `30s`: time unit needed, for example 1sec or 1ms",
    );
    check(
        "",
        &[],
        &[("sidecar.gzip", "maybe")],
        "--sidecar-gzip: `maybe` is neither `true` nor `false`",
    );
}

#[test]
fn a_file_that_is_no_toml_does_not_show_its_lines() {
    let wrong = load("[flagr]\ntoken = sesame", &[], &[]).unwrap_err().to_string();
    assert!(wrong.starts_with("vexilla.toml, line 2: "), "{wrong}");
    assert!(!wrong.contains("sesame"), "{wrong}");
}
