//! What Flagr does around its answers: origins, compression, the prefix, and what only a whole Flagr has.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;

use crate::fake::Rig;

const EVALUATION: &str = "/api/v1/evaluation";
const EXPORT: &str = "/api/v1/export/eval_cache/json";
const PAGE: (&str, &str) = ("origin", "http://example.org");

fn unpacked(body: &Bytes) -> String {
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    text
}

/// What listens refuses them before; a server that somebody else has put the sidecar into may not.
#[tokio::test]
async fn two_hosts_are_refused_however_they_came() {
    let rig = Rig::new(|_| {});
    for hosts in [&["a", "b"][..], &["a", "a"]] {
        let hosts: Vec<_> = hosts.iter().map(|it| ("host", *it)).collect();
        let (status, headers, body) = rig.ask("GET", "/api/v1/health", &hosts).await;
        assert_eq!((status, &body[..]), (400, &b"400 Bad Request"[..]));
        assert_eq!(headers["connection"], "close");
    }
    assert_eq!(rig.ask("GET", "/api/v1/health", &[("host", "a b")]).await.0, 400);
    assert_eq!(rig.ask("GET", "/api/v1/health", &[("host", "a")]).await.0, 200);
}

#[tokio::test]
async fn pages_of_other_origins_may_ask() {
    let rig = Rig::new(|_| {});
    let (_, headers, _) = rig.ask("GET", "/api/v1/health", &[PAGE]).await;
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(headers["access-control-expose-headers"], "Www-Authenticate");
    assert_eq!(headers["vary"], "Origin");
    for (method, asked) in [("GET", &[][..]), ("GET", &[("origin", "")]), ("HEAD", &[PAGE])] {
        let (_, headers, _) = rig.ask(method, "/api/v1/health", asked).await;
        assert_eq!(headers["vary"], "Origin");
        assert!(!headers.contains_key("access-control-allow-origin"), "{method}");
    }
}

#[tokio::test]
async fn browsers_are_told_what_they_may_ask() {
    const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    let rig = Rig::new(|_| {});
    let by = |it| ("access-control-request-method", it);
    let with = |it| ("access-control-request-headers", it);
    for (asked, allowed) in [
        (vec![PAGE, by("POST")], true),
        (vec![PAGE, by("POST"), with("content-type,x-requested-with")], true),
        (vec![PAGE, by("PATCH"), with("Authorization, Time_Zone")], true),
        (vec![PAGE, by("POST"), with("x-other")], false),
        (vec![PAGE, by("TRACE")], false),
        (vec![by("POST")], false),
    ] {
        let (status, headers, body) = rig.ask("OPTIONS", "/api/v1/anything", &asked).await;
        assert_eq!((status, &*headers["vary"], body.len()), (204, VARY, 0), "{asked:?}");
        let given = |name: &str| headers.get(name).map(String::as_str);
        assert_eq!(given("access-control-allow-origin"), allowed.then_some("*"), "{asked:?}");
        assert_eq!(given("access-control-max-age"), allowed.then_some("600"), "{asked:?}");
        if allowed {
            assert_eq!(given("access-control-allow-methods"), Some(asked[1].1));
            assert_eq!(given("access-control-allow-headers"), asked.get(2).map(|it| it.1));
            assert_eq!(given("access-control-allow-credentials"), Some("true"));
        }
    }
    let (status, ..) = rig.ask("OPTIONS", "/api/v1/health", &[PAGE]).await;
    assert_eq!(status, 405, "no preflight");
    let off = Rig::new(|config| config.cors = false);
    let (status, headers, _) = off.ask("OPTIONS", "/api/v1/health", &[PAGE, by("POST")]).await;
    assert_eq!((status, headers.contains_key("vary")), (405, false));
}

#[tokio::test]
async fn answers_of_any_size_are_compressed_for_who_takes_it() {
    let rig = Rig::new(|_| {});
    for taken in ["gzip", "br, gzip;q=0", "xgzipx"] {
        let (status, headers, body) =
            rig.ask("GET", "/api/v1/health", &[("accept-encoding", taken)]).await;
        assert_eq!((status, &*headers["content-encoding"]), (200, "gzip"));
        assert_eq!(headers["vary"], "Origin | Accept-Encoding");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(unpacked(&body), "{\"status\":\"OK\"}\n");
    }
    for length in [1, 100, 40_000] {
        let name = "n".repeat(length); // the encoder is used again and again
        let (_, _, body) =
            rig.ask("GET", &format!("/{name}"), &[("accept-encoding", "gzip")]).await;
        assert_eq!(
            unpacked(&body),
            format!("{{\"code\":404,\"message\":\"path /{name} was not found\"}}")
        );
    }
    let (status, headers, body) = rig.ask("GET", "/nope", &[("accept-encoding", "gzip")]).await;
    assert_eq!((status, &*headers["content-encoding"]), (404, "gzip"));
    assert!(unpacked(&body).contains("was not found"));
    let (_, headers, _) = rig.ask("GET", "/api/v1/health", &[("accept-encoding", "br")]).await;
    assert_eq!((headers.contains_key("content-encoding"), &*headers["vary"]), (false, "Origin"));
    let off = Rig::new(|config| config.gzip = false);
    let (_, headers, _) = off.ask("GET", "/api/v1/health", &[("accept-encoding", "gzip")]).await;
    assert!(!headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn the_compressed_export_is_that_of_its_revision() {
    let rig = Rig::new(|_| {});
    let asked = [("accept-encoding", "gzip")];
    for (sequence, length) in [(1, 10), (2, 100_000), (3, 20)] {
        let document = format!("{{\"Flags\":[{}]}}\n", " ".repeat(length));
        rig.publish(sequence, &document);
        for _ in 0..2 {
            let (status, headers, body) = rig.ask("GET", EXPORT, &asked).await;
            assert_eq!((status, &*headers["content-type"]), (200, "application/json"));
            assert_eq!(headers["x-vexilla-revision"], format!("1.{sequence}"));
            assert_eq!(unpacked(&body), document);
        }
    }
    // A long answer that is no whole export.
    let (_, headers, body) = rig.ask("GET", &format!("{EXPORT}?ids=1"), &asked).await;
    assert_eq!(
        (&*headers["content-encoding"], unpacked(&body)),
        ("gzip", "{\"Flags\":[]}\n".into())
    );
}

#[tokio::test]
async fn everything_is_behind_the_prefix() {
    let rig = Rig::new(|config| config.web_prefix = "/flagr".to_owned());
    assert_eq!(rig.get("/flagr/api/v1/health").await.status, 200);
    let answered = rig.get("/flagr/api/v1/nope").await;
    assert_eq!(answered.body, r#"{"code":404,"message":"path /api/v1/nope was not found"}"#);
    for path in ["/api/v1/health", "/", "/flag"] {
        let answered = rig.get(path).await;
        assert_eq!((answered.status, &*answered.body), (404, "404 page not found\n"), "{path}");
        assert_eq!(answered.content_type, "text/plain; charset=utf-8");
        assert_eq!(answered.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn what_only_a_whole_flagr_has_is_not_implemented() {
    let rig = Rig::new(|_| {});
    for (method, path, operation) in [
        ("GET", "/api/v1/flags?limit=1", "flag.FindFlags"),
        ("DELETE", "/api/v1/flags/1/", "flag.DeleteFlag"),
        ("POST", "/api/v1/exposures", "exposure.PostExposures"),
    ] {
        let (status, headers, body) = rig.ask(method, path, &[]).await;
        assert_eq!((status, &*headers["content-type"]), (501, "application/json"), "{path}");
        let expected = format!("\"operation {operation} has not yet been implemented\"\n");
        assert_eq!(body, expected, "{path}");
    }
    let answered = rig.get("/api/v1/export/sqlite").await;
    let expected = "operation export.GetExportSqlite has not yet been implemented";
    assert_eq!((answered.status, &*answered.body), (501, expected));
}

#[tokio::test]
async fn the_largest_snapshot_id_is_told_once_there_is_one() {
    const MAX_ID: &str = "/api/v1/flags/snapshots/max_id";
    let rig = Rig::new(|_| {});
    let answered = rig.get(MAX_ID).await;
    assert_eq!((answered.status, &*answered.content_type), (503, "text/plain; charset=utf-8"));
    rig.publish(1, "{\"Flags\":[]}\n");
    assert_eq!(rig.get(MAX_ID).await.body, "{}\n");
    *rig.engine.max_snapshot_id.lock().unwrap() = 23;
    assert_eq!(rig.get(MAX_ID).await.body, "{\"maxID\":23}\n");
}

#[tokio::test]
async fn who_has_the_flags_does_not_get_them_again() {
    let rig = Rig::new(|_| {});
    let (status, ..) = rig.ask("GET", EXPORT, &[("if-none-match", "*")]).await;
    assert_eq!(status, 503, "nothing is loaded");
    rig.publish(1, "{\"Flags\":[]}\n");
    let (_, headers, _) = rig.ask("GET", EXPORT, &[]).await;
    let tag = headers["etag"].clone();
    assert!(tag.starts_with("\"1.1-") && tag.ends_with('"'), "{tag}");

    *rig.engine.export.lock().unwrap() = None; // a 304 does not look at the document
    for (known, status) in [(&*tag, 304), (&*format!("W/{tag}, \"x\""), 304), ("*", 304)] {
        let (answered, headers, body) = rig.ask("GET", EXPORT, &[("if-none-match", known)]).await;
        assert_eq!((answered, body.len()), (status, 0), "{known}");
        assert_eq!((&*headers["etag"], &*headers["x-vexilla-revision"]), (&*tag, "1.1"));
        assert!(!headers.contains_key("content-type"));
    }

    rig.publish(2, "{\"Flags\":[]}\n");
    let (status, headers, _) = rig.ask("GET", EXPORT, &[("if-none-match", &tag)]).await;
    assert_eq!(status, 200);
    assert_ne!(headers["etag"], tag);
    let other = Rig::new(|_| {});
    other.publish(2, "{\"Flags\":[]}\n");
    let known = headers["etag"].clone();
    let (status, ..) = other.ask("GET", EXPORT, &[("if-none-match", &known)]).await;
    assert_eq!(status, 200, "another process");
}

#[tokio::test]
async fn parts_and_compressed_forms_have_tags_of_their_own() {
    let rig = Rig::new(|_| {});
    rig.publish(1, "{\"Flags\":[]}\n");
    let mut tags = std::collections::BTreeSet::new();
    for path in [EXPORT, &format!("{EXPORT}?ids=1"), &format!("{EXPORT}?ids=2")] {
        for encoding in ["gzip", "identity"] {
            let asked = [("accept-encoding", encoding)];
            let (status, headers, _) = rig.ask("GET", path, &asked).await;
            assert_eq!(status, 200);
            let tag = headers["etag"].clone();
            let asked = [("accept-encoding", encoding), ("if-none-match", &*tag)];
            let (status, headers, _) = rig.ask("GET", path, &asked).await;
            assert_eq!((status, &headers["etag"]), (304, &tag), "{path} {encoding}");
            tags.insert(tag);
        }
    }
    assert_eq!(tags.len(), 6, "{tags:?}");
    let (status, ..) = rig.ask("GET", &format!("{EXPORT}?ids=0"), &[("if-none-match", "*")]).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_request_that_is_no_evaluation_is_not_counted_as_one() {
    let rig = Rig::new(|_| {});
    for (method, path) in
        [("PUT", EVALUATION), ("POST", "/api/v1/evaluation/x"), ("GET", EVALUATION)]
    {
        rig.ask(method, path, &[]).await;
    }
    assert!(rig.engine.asked.lock().unwrap().is_empty());
}
