//! `vexilla serve`: its settings from a file, the environment and the command line.

use std::fs;
use std::path::Path;

use crate::running::{Said, run, said, vexilla};

const SECRET: &str = "open-sesame";

/// Writes a file, and starts the command with it.
fn with_file(folder: &Path, content: &str, variables: &[(&str, &str)], flags: &[&str]) -> Said {
    let file = folder.join("vexilla.toml");
    fs::write(&file, content).unwrap();
    let arguments = ["serve", "--config", file.to_str().unwrap()];
    let mut command = vexilla(arguments.iter().chain(flags));
    said(command.envs(variables.iter().copied()))
}

/// The lines of what is printed that come from somewhere else than the defaults.
fn given(printed: &str, folder: &Path) -> Vec<String> {
    let file = folder.join("vexilla.toml");
    let lines = printed.lines().filter(|it| it.contains(" # ") && !it.contains(" # default"));
    lines.map(|it| it.replace(file.to_str().unwrap(), "FILE")).collect()
}

#[test]
fn what_each_setting_is_and_why_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let content = "[flagr]\nurl = 'http://flagr:18000'\nretries = 1\ntimeout = '1m 30s'\n\n[filter]\ntags = ['a']\n";
    let variables = [("VEXILLA_FLAGR__RETRIES", "2"), ("VEXILLA_FLAGR_TOKEN", SECRET)];
    let flags =
        ["--refresh-interval", "5s", "--filter-tags", "b,c", "--pass-through", "--print-config"];
    let printed = with_file(folder.path(), content, &variables, &flags).ok();
    assert!(!printed.contains(SECRET), "{printed}");
    assert_eq!(
        given(&printed, folder.path()),
        [
            "url = \"http://flagr:18000\" # FILE, line 2",
            "# token = \"[redacted]\" # environment variable VEXILLA_FLAGR_TOKEN",
            "timeout = \"1m 30s\" # FILE, line 4",
            "retries = 2 # environment variable VEXILLA_FLAGR__RETRIES",
            "interval = \"5s\" # --refresh-interval",
            "tags = [\"b\", \"c\"] # --filter-tags",
            "pass_through = true # --pass-through",
        ]
    );

    let again = with_file(folder.path(), &printed, &[], &["--print-config"]).ok();
    let values = |text: &str| -> Vec<String> {
        let is_value = |it: &&str| !it.starts_with('#');
        text.lines().filter(is_value).map(|it| it.split(" # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&printed));
}

#[test]
fn what_is_sent_to_a_collector_is_printed_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let content = "telemetry.otlp_endpoint = 'http://collector:4318'";
    let printed = |variables: &[(&str, &str)]| {
        let printed = with_file(folder.path(), content, variables, &["--print-config"]).ok();
        let (_, otlp) =
            printed.split_once("# What is sent by OpenTelemetry's protocol:\n").unwrap();
        let file = folder.path().join("vexilla.toml");
        let lines = otlp.lines().map(|it| it.replace(file.to_str().unwrap(), "FILE"));
        lines.filter(|it| !it.ends_with(" # default")).collect::<Vec<_>>()
    };
    let endpoint = |signal: &str| {
        format!("# {signal}.endpoint = \"http://collector:4318/v1/{signal}\" # FILE, line 1")
    };
    assert_eq!(printed(&[]), [endpoint("metrics"), endpoint("traces")]);
    let headers = format!("authorization=Bearer%20{SECRET}");
    assert_eq!(
        printed(&[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", &headers),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ]),
        [
            "# metrics = \"off\" # environment variable OTEL_METRICS_EXPORTER",
            "# traces.endpoint = \"https://t/x\" # environment variable OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "# traces.headers = \"authorization=[redacted]\" # environment variable OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "# ignored: environment variable OTEL_EXPORTER_OTLP_TIMEOUT: `soon` is no number of milliseconds from 1",
        ]
    );
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vexilla.toml");
    let mut command = vexilla(["serve", "--print-config"]);
    command.env("VEXILLA_CONFIG", &file);
    let missing = said(&mut command);
    assert_eq!(missing.status, 1);
    let expected = format!(
        "error: environment variable VEXILLA_CONFIG: `{}` cannot be read: ",
        file.display()
    );
    assert!(missing.error().starts_with(&expected), "{}", missing.stderr);

    fs::write(&file, "source.file = 'examples/shop.json'").unwrap();
    let printed = said(&mut command).ok();
    assert_eq!(given(&printed, folder.path()), ["file = \"examples/shop.json\" # FILE, line 1"]);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let error = |content: &str| {
        let said = with_file(folder.path(), content, &[], &[]);
        assert_eq!((said.status, said.stdout.as_str()), (1, ""), "{}", said.stderr);
        let file = folder.path().join("vexilla.toml");
        said.error().replace(file.to_str().unwrap(), "FILE")
    };
    assert_eq!(
        error("[sidecar]\nlisen = ':18100'"),
        "error: FILE, line 2: there is no setting `sidecar.lisen`, did you mean `sidecar.listen`?"
    );
    let file = "source.file = 'examples/shop.json'\n";
    assert_eq!(
        error(&format!("{file}flagr.user = 'me'")),
        "error: FILE, line 2: flagr.user: is set without `flagr.password`"
    );
    assert_eq!(
        error(&format!("{file}filter.tag_patterns = ['(']")),
        "error: FILE, line 2: filter.tag_patterns: tag_pattern: `(` is not a regular expression: unclosed group"
    );
    assert_eq!(
        error(&format!("{file}admin.listener.tls_key = 'key.pem'")),
        "error: FILE, line 2: admin.listener.tls_key: is set without `admin.listener.tls_certificate`"
    );
    assert_eq!(
        error(&format!("{file}sidecar.pass_through = true")),
        "error: FILE, line 2: sidecar.pass_through: needs a Flagr, and flags come from a file"
    );
    assert!(error("flagr.url = 'flagr:18000'").contains("flagr.url: `flagr:18000` has no scheme"));
    assert!(
        error("flagr.url = 'http://flagr'\nflagr.extra_roots = 'nowhere.pem'")
            .starts_with("error: FILE, line 2: flagr.extra_roots: `nowhere.pem` cannot be read: ")
    );
    let flagr = "flagr.url = 'http://127.0.0.1:1'\n";
    assert_eq!(
        error(&format!("{flagr}flagr.header = \"X Y: {SECRET}\"")),
        "error: FILE, line 2: flagr.header: `X Y` cannot be the name of a header"
    );
    assert_eq!(
        error(&format!("{flagr}remote_cache.ttl = '1s'")),
        "error: FILE, line 2: remote_cache.ttl: `refresh_ahead` must be shorter than `ttl`"
    );
    for (line, reason) in [
        ("exposures.retry_max = '1ms'", "exposures.retry_max: must not"),
        ("refresh.full_interval = '900000h'", "refresh.full_interval: `"),
        ("exposures.spool = 'Cargo.toml'", "exposures.spool: `Cargo.toml` is no folder"),
        ("archive.dir = 'Cargo.toml'", "archive.dir: `Cargo.toml` is no folder"),
        ("telemetry.otlp_endpoint = 'c:1'", "telemetry.otlp_endpoint: `c:1"),
    ] {
        let said = error(&format!("{flagr}memory.budget = '1MiB'\n{line}"));
        let expected = format!("error: FILE, line 3: {reason}");
        assert!(said.starts_with(&expected), "{said}");
        // What is printed is checked, too.
        let content = format!("{flagr}memory.budget = '1MiB'\n{line}");
        let printed = with_file(folder.path(), &content, &[], &["--print-config"]);
        assert_eq!((printed.status, printed.stdout.as_str()), (1, ""), "{}", printed.stderr);
    }
    let both = run(["serve", "--flags", "examples/shop.json", "--flagr", "http://localhost:18000"]);
    assert_eq!(both.error(), "error: --flagr: a file is named too, by --flags: name one of both");
}

#[test]
fn each_setting_has_a_flag_and_the_short_help_shows_few() {
    let long = run(["serve", "--help"]).ok();
    let short = run(["serve", "-h"]).ok();
    for flag in
        ["--flagr-retries <VALUE>", "--sidecar-listener-tls-certificate", "--admin-token-file"]
    {
        assert!(long.contains(flag) && !short.contains(flag), "{flag}");
    }
    for flag in ["--flagr <URL>", "--listen <ADDR>", "--print-config", "--config <FILE>"] {
        assert!(long.contains(flag) && short.contains(flag), "{flag}\n{short}");
    }
    assert!(!long.contains("--admin-token <"), "a secret is no argument");
}
