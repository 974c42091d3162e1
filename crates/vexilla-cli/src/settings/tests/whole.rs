//! What does not go together is named by the setting that is at fault, whatever else is given of its part.

use std::path::PathBuf;

use super::super::Origin;
use super::load;

/// The third line of the file is at fault, or what the file gets from elsewhere.
#[track_caller]
fn check(lines: [&str; 3], expected: &str) {
    let file = lines.join("\n");
    let loaded = load(&file, &[], &[]).unwrap();
    let mut wrong = loaded.settings.check().expect_err(&file);
    if let Origin::File { path, .. } = &mut wrong.origin {
        *path = PathBuf::from("FILE");
    }
    let wrong = wrong.to_string();
    let expected = format!("FILE, line 3: {expected}");
    assert!(wrong.starts_with(&expected), "{file}\n{wrong}\n{expected}");
}

#[test]
fn the_client_s_settings() {
    let flagr = "flagr.url = 'http://flagr'";
    let refresh = "refresh.initial_timeout = '9s'";
    check(
        [flagr, refresh, "refresh.interval = '900000h'"],
        "refresh.interval: `3240000000s` must be at most ten years",
    );
    check(
        [flagr, refresh, "refresh.full_interval = '900000h'"],
        "refresh.full_interval: `3240000000s` must be at most ten years",
    );
    let evaluation = "evaluation.fallback = 'error'";
    for key in ["max_staleness", "miss_interval", "miss_timeout", "strict_timeout"] {
        check(
            [flagr, evaluation, &format!("evaluation.{key} = '900000h'")],
            &format!("evaluation.{key}: `3240000000s` must be at most ten years"),
        );
    }
    let exposures = "exposures.batch_size = 7";
    check(
        [flagr, exposures, "exposures.interval = '25h'"],
        "exposures.interval: `90000s` must be at most a day",
    );
    let retries = "must not be shorter than `exposures.retry_base`";
    check(
        [flagr, exposures, "exposures.retry_max = '1ms'"],
        &format!("exposures.retry_max: {retries}"),
    );
    // The other one is the default.
    check(
        [flagr, exposures, "exposures.retry_base = '1h'"],
        &format!("exposures.retry_base: {retries}"),
    );
    check(
        [flagr, exposures, "exposures.spool_bytes = 1"],
        "exposures.spool_bytes: `1` must be at least 65536",
    );
    check([flagr, exposures, "exposures.spool = 'Cargo.toml'"], "exposures.spool: `Cargo.toml` is");
}

#[test]
fn filters() {
    let tags = "filter.tags = ['a']";
    let flagr = "flagr.url = 'http://flagr'";
    check(
        [flagr, tags, "filter.service_required = true"],
        "filter.service_required: needs `filter.service`",
    );
    check([flagr, tags, "filter.tag_patterns = ['(']"], "filter.tag_patterns: ");
    check([flagr, tags, "filter.hours = 'noon'"], "filter.hours: `noon` is not as");
    check(
        [flagr, tags, "filter.hours_offset = '+01:00'"],
        "filter.hours_offset: is set without `filter.hours`",
    );
    check(
        [flagr, tags, "filter.hours_tag = 'x'"],
        "filter.hours_tag: is set without `filter.hours`",
    );
    check(
        [flagr, "filter.asked_of_source = true", "filter.tags = ['a,b']"],
        "filter.tags: `a,b` cannot be asked for",
    );
    check(
        [flagr, tags, "flagr.export_tags = ['a,b']"],
        "flagr.export_tags: `a,b` cannot be asked for",
    );
}

#[test]
fn caches() {
    let most = "must be at least one byte, and no more than 9223372036854775807 bytes";
    let cache = "remote_cache.buffer_items = 7";
    for (line, reason) in [
        ("remote_cache.ttl = '1s'", "remote_cache.ttl: `refresh_ahead` must be shorter than `ttl`"),
        (
            "remote_cache.refresh_ahead = '1h'",
            "remote_cache.refresh_ahead: `refresh_ahead` must be shorter than `ttl`",
        ),
        ("remote_cache.max_bytes = '10EiB'", &format!("remote_cache.max_bytes: {most}")),
        ("remote_cache.counters = 100000000000", "remote_cache.counters: must be from 1 to "),
    ] {
        check(["", cache, line], reason);
    }
    check(
        ["", "remote_cache.counters = 7", "remote_cache.buffer_items = 100000000"],
        "remote_cache.buffer_items: must be from 1 to ",
    );
    let memory = "memory.ttl = '1m'";
    check(["", memory, "memory.budget = '10EiB'"], "memory.budget: must be");
    check(
        ["memory.budget = '1MiB'", memory, "memory.counters = 100000000000"],
        "memory.counters: must be from 1 to ",
    );
    check(
        ["memory.budget = '1MiB'", memory, "memory.buffer_items = 100000000"],
        "memory.buffer_items: must be from 1 to ",
    );
    check(
        ["", "archive.generations = 2", "archive.dir = 'Cargo.toml'"],
        "archive.dir: `Cargo.toml` is no folder",
    );
}

#[test]
fn redis() {
    let prefix = "redis.key_prefix = 'x:'";
    let url = "redis.url = 'redis://cache'";
    check([url, prefix, "redis.lease = '1ms'"], "redis.lease: the lease is shorter than 100 ms");
    check(["", prefix, "redis.url = 'redis://me@cache'"], "redis.url: a user needs a password");
    let wrong = load("redis.extra_roots = 'nowhere.pem'", &[], &[]).unwrap_err().to_string();
    assert!(wrong.contains("redis.extra_roots: `nowhere.pem` cannot be read: "), "{wrong}");
    let no_use = "redis.extra_roots: certificates are of no use without TLS";
    let roots = root("root.pem");
    check([url, prefix, &format!("redis.extra_roots = '{roots}'")], no_use);
    let secure = "redis.url = 'rediss://cache'";
    check(
        [secure, prefix, "redis.extra_roots = 'Cargo.toml'"],
        "redis.extra_roots: the extra roots are not",
    );
}

/// A file with a certificate, or a key.
fn root(name: &str) -> String {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/../vexilla-flagr/tests/it/certificates/");
    format!("{crates}{name}")
}

#[test]
fn flagr() {
    let flagr = "flagr.url = 'https://flagr'";
    let retries = "flagr.retries = 1";
    for (line, reason) in [
        ("flagr.header = 'X Y: z'", "flagr.header: `X Y` cannot be the name of a header"),
        ("flagr.token = \"a\\nb\"", "flagr.token: `[redacted]` cannot be the value of a header"),
        ("flagr.user = 'me'", "flagr.user: is set without `flagr.password`"),
        ("flagr.password = 'me'", "flagr.password: is set without `flagr.user`"),
        ("flagr.proxy_user = 'me'", "flagr.proxy_user: is set without `flagr.proxy_password`"),
        (
            "flagr.client_key = 'Cargo.toml'",
            "flagr.client_key: is set without `flagr.client_certificate`",
        ),
        ("flagr.proxy_url = 'ftp://x'", "flagr.proxy_url: `ftp://x` has another scheme"),
        ("flagr.proxy_url = 'http://x/y'", "flagr.proxy_url: `http://x/y` has a path"),
        ("flagr.extra_roots = 'Cargo.toml'", "flagr.extra_roots: "),
    ] {
        check([flagr, retries, line], reason);
    }
    check(
        [retries, "", "flagr.url = 'http://flagr?x'"],
        "flagr.url: `http://flagr?[redacted]` has a query",
    );
    check(
        ["flagr.password = 'x'", flagr, "flagr.user = 'a:b'"],
        "flagr.user: `a:b` cannot be a user name",
    );
    let proxy = "flagr.proxy_url = 'http://x'\nflagr.proxy_password = 'x'";
    let lines = format!("{flagr}\n{proxy}\nflagr.proxy_user = 'a:b'");
    let wrong = load(&lines, &[], &[]).unwrap().settings.check().unwrap_err().to_string();
    assert!(wrong.contains(", line 4: flagr.proxy_user: `a:b` cannot be a user name"), "{wrong}");
    // A variable and a flag name themselves.
    let variables =
        [("VEXILLA_REMOTE_CACHE__BUFFER_ITEMS", "7"), ("VEXILLA_REMOTE_CACHE__TTL", "1s")];
    let wrong = load("", &variables, &[]).unwrap().settings.check().unwrap_err().to_string();
    let reason = "`refresh_ahead` must be shorter than `ttl`";
    assert_eq!(wrong, format!("environment variable VEXILLA_REMOTE_CACHE__TTL: {reason}"));
    let loaded = load("", &[], &[("remote_cache.ttl", "1s")]).unwrap();
    let wrong = loaded.settings.check().unwrap_err().to_string();
    assert_eq!(wrong, format!("--remote-cache-ttl: {reason}"));
}

#[test]
fn certificates() {
    let (chain, key) = (root("client.pem"), root("client.key"));
    let flagr = "flagr.url = 'https://flagr'";
    let of_flagr = format!("flagr.client_certificate = '{chain}'");
    check(
        [flagr, &of_flagr, "flagr.client_key = 'Cargo.toml'"],
        "flagr.client_key: `[redacted]` is not a private key",
    );
    let plain = "flagr.url = 'http://flagr'";
    let of_key = format!("flagr.client_key = '{key}'");
    check(
        [plain, &of_key, &of_flagr],
        "flagr.client_certificate: `[PEM]` is never shown to a server",
    );
    for part in ["sidecar", "admin", "webhook"] {
        let listener = format!("{part}.listener");
        let certificate = format!("{listener}.tls_certificate = '{chain}'");
        let limit = format!("{listener}.max_connections = 5");
        check(
            ["", &limit, &certificate],
            &format!("{listener}.tls_certificate: is set without `{listener}.tls_key`"),
        );
        let key = format!("{listener}.tls_key = 'Cargo.toml'");
        check(
            [&limit, &certificate, &key],
            &format!("{listener}.tls_key: TLS: `Cargo.toml` holds no key"),
        );
        let other = root("server.key");
        let key = format!("{listener}.tls_key = '{other}'");
        check(
            [&limit, &certificate, &key],
            &format!("{listener}.tls_key: TLS: `{other}` does not go with the certificate"),
        );
        let nowhere = format!("{listener}.tls_certificate = 'nowhere.pem'");
        check(
            [&limit, &key, &nowhere],
            &format!("{listener}.tls_certificate: TLS: `nowhere.pem` cannot be read"),
        );
    }
}

#[test]
fn servers_and_telemetry() {
    let limit = "webhook.max_body_bytes = 500";
    check(
        [limit, "webhook.header = 'X: y'", "webhook.token = 'z'"],
        "webhook.token: is set beside `webhook.header`",
    );
    check(
        [limit, "", "webhook.header = 'X Y: z'"],
        "webhook.header: `X Y` cannot be the name of a header",
    );
    check([limit, "", "webhook.header = 'X:'"], "webhook.header: the secret is empty");
    check(
        ["telemetry.flags = 3", "", "telemetry.otlp_endpoint = 'c:1'"],
        "telemetry.otlp_endpoint: `c:1/v1/metrics` is no address",
    );
}
