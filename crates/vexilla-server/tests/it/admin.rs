//! The admin API, in process.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vexilla_domain::Secret;
use vexilla_server::{Admin, AdminConfig, ListenAddress};

use crate::operator::{Answered, FakeOperator, ask, clock};
use crate::schema::check;

const TOKEN: &str = "open sesame";
const RIGHT: (&str, &str) = ("authorization", "Bearer open sesame");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The routes behind the token, each with a body that fits.
const GUARDED: [(&str, &str); 7] = [
    ("GET /admin/stats", ""),
    ("GET /admin/flags", ""),
    ("GET /admin/flags/checkout", ""),
    ("POST /admin/invalidate", r#"{"flag_key":"checkout"}"#),
    ("POST /admin/invalidate-all", ""),
    ("POST /admin/refresh", ""),
    (
        "POST /admin/explain",
        r#"{"flag_key":"checkout","entity_id":"u","entity_type":"user","context":{"a":1}}"#,
    ),
];

pub(crate) struct Rig {
    pub(crate) operator: Arc<FakeOperator>,
    admin: Admin,
}

impl Rig {
    pub(crate) fn new(change: impl FnOnce(&mut AdminConfig)) -> Self {
        let mut config = AdminConfig::default();
        config.token = Some(Secret::new(TOKEN));
        change(&mut config);
        let operator = Arc::new(FakeOperator::default());
        let admin = Admin::new(Arc::clone(&operator) as _, clock(), config);
        Self { operator, admin }
    }

    pub(crate) async fn ask(&self, route: &str, body: &str) -> Answered {
        ask(self.admin.service(), route, &[RIGHT, JSON], body.to_owned()).await
    }
}

#[tokio::test]
async fn every_admin_route_asks_for_the_token() {
    let rig = Rig::new(|_| {});
    for (route, body) in GUARDED {
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer open",
            "Bearer open sesame ",
            "Bearer open sesamf",
            "Basic open sesame",
            "open sesame",
        ] {
            let headers = [("authorization", wrong), JSON];
            let headers = if wrong.is_empty() { &headers[1..] } else { &headers[..] };
            let answered = ask(rig.admin.service(), route, headers, body).await;
            assert_eq!(answered.status, 401, "{route}: {wrong}");
            assert_eq!(answered.headers["www-authenticate"], "Bearer");
            assert!(!answered.body.to_string().contains("sesame"), "{:?}", answered.body);
        }
        assert_eq!(rig.operator.asked(), Vec::<String>::new(), "nothing changed");
        assert_eq!(rig.ask(route, body).await.status, 200, "{route}");
        rig.operator.asked.lock().unwrap().clear();
    }
    // Who has no token does not learn what there is.
    for route in ["GET /admin", "GET /admin/", "GET /admin/nothing", "DELETE /admin/stats"] {
        assert_eq!(ask(rig.admin.service(), route, &[], "").await.status, 401, "{route}");
    }
    for route in ["GET /health", "GET /ready", "GET /openapi.json"] {
        assert_eq!(ask(rig.admin.service(), route, &[], "").await.status, 200, "{route}");
    }
    assert!(!format!("{:?}", rig.admin).contains("sesame"));
}

#[tokio::test]
async fn without_a_token_only_this_machine_is_served() {
    for (address, allowed) in
        [("0.0.0.0:0", false), ("[::]:0", false), ("127.0.0.1:0", true), ("192.0.2.1:0", false)]
    {
        let address: ListenAddress = address.parse().unwrap();
        let bound = Rig::new(|config| config.token = None).admin.bind(&address).await;
        match bound {
            Ok(_) => assert!(allowed, "{address}"),
            Err(error) => {
                assert!(!allowed, "{address}");
                let reason = std::error::Error::source(&error).unwrap().to_string();
                assert!(reason.contains("has no token"), "{reason}");
            }
        }
    }
    let open = Rig::new(|config| config.token = None);
    assert_eq!(ask(open.admin.service(), "GET /admin/stats", &[], "").await.status, 200);
    let everywhere = "0.0.0.0:0".parse().unwrap();
    Rig::new(|_| {}).admin.bind(&everywhere).await.unwrap();
    let empty = Rig::new(|config| config.token = Some(Secret::new("")));
    let guess = [("authorization", "Bearer ")];
    assert_eq!(ask(empty.admin.service(), "GET /admin/stats", &guess, "").await.status, 401);
    empty.admin.bind(&everywhere).await.unwrap_err();
}

#[tokio::test]
async fn readiness_says_why() {
    let rig = Rig::new(|_| {});
    let answered = rig.ask("GET /ready", "").await;
    assert_eq!((answered.status, answered.body), (200, json!({"ready": true, "reasons": []})));
    rig.operator.not_ready.lock().unwrap().push("no flags were loaded yet".into());
    let answered = rig.ask("GET /ready", "").await;
    let expected = json!({"ready": false, "reasons": ["no flags were loaded yet"]});
    assert_eq!((answered.status, answered.body), (503, expected));
    let answered = rig.ask("GET /health", "").await;
    assert_eq!((answered.status, answered.body), (200, json!({"status": "ok"})), "it lives");
}

#[tokio::test]
async fn invalidating_reads_anew() {
    let rig = Rig::new(|_| {});
    let expected = json!({
        "revision": "1.7", "refreshed_at": "2027-01-15T07:59:50.5Z", "age_seconds": 9.5, "stale": false,
    });
    for (route, body, asked) in [
        (
            "POST /admin/invalidate",
            r#"{"flag_key":"é/x"}"#,
            r#"reread [FlagName { id: FlagId(0), key: "é/x" }]"#,
        ),
        ("POST /admin/invalidate-all", "", "reread all"),
        ("POST /admin/refresh", "", "refresh"),
    ] {
        *rig.operator.fails.lock().unwrap() = false;
        let mut answered = rig.ask(route, body).await;
        let found = answered.body.as_object_mut().unwrap().remove("found");
        let is_named = route == "POST /admin/invalidate";
        assert_eq!(found, is_named.then_some(json!(false)), "there is no such flag");
        assert_eq!((answered.status, &answered.body), (200, &expected), "{route}");
        rig.operator.asked.lock().unwrap().retain(|it| !it.starts_with("explain"));
        *rig.operator.fails.lock().unwrap() = true;
        let answered = rig.ask(route, body).await;
        let message = "GET /flags: cannot connect: connection refused; the flags that are there are served on";
        assert_eq!((answered.status, answered.body), (502, json!({"error": message})), "{route}");
        assert_eq!(rig.operator.asked(), [asked, asked], "{route}");
        rig.operator.asked.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn invalidating_tells_whether_there_is_the_flag() {
    let rig = Rig::new(|_| {});
    for (key, found) in [("checkout", true), ("a/b c", true), ("chekout", false)] {
        let body = json!({"flag_key": key}).to_string();
        let answered = rig.ask("POST /admin/invalidate", &body).await;
        assert_eq!((answered.status, &answered.body["found"]), (200, &json!(found)), "{key}");
    }
}

#[tokio::test]
async fn flags_are_listed_and_shown() {
    let rig = Rig::new(|_| {});
    let flags = rig.ask("GET /admin/flags", "").await.body;
    let expected = json!({"flags": [{
        "id": 1, "key": "checkout", "enabled": true, "snapshot_id": 12, "tags": ["shop"], "strategy": "remote",
        "data_records_enabled": false, "quarantined": false,
    }]});
    assert_eq!(flags, expected);
    for (path, key) in [("checkout", "checkout"), ("a/b%20c", "a/b c"), ("a%2Fb%20c", "a/b c")] {
        let answered = rig.ask(&format!("GET /admin/flags/{path}"), "").await;
        assert_eq!((answered.status, answered.body), (200, json!({"ID": 1, "Key": key})));
    }
    let answered = rig.ask("GET /admin/flags/nope", "").await;
    assert_eq!(
        (answered.status, answered.body),
        (404, json!({"error": "there is no flag `nope`"}))
    );
    assert_eq!(rig.ask("GET /admin/flags/%ff", "").await.status, 400);
    assert_eq!(rig.ask("GET /admin/flags/", "").await.status, 404);
}

#[tokio::test]
async fn an_explanation_is_for_the_posted_context() {
    let rig = Rig::new(|_| {});
    let body =
        r#"{"flag_key":"checkout","entity_id":"u","entity_type":"user","context":{"a":1.50}}"#;
    let answered = rig.ask("POST /admin/explain", body).await;
    assert_eq!(answered.body["variant_key"], "on");
    assert_eq!(answered.body["variant_attachment"], json!({"colour": "blue"}));
    assert_eq!(answered.body["segments"][3]["rollout"]["ranges"][0]["cut"], 500);
    let asked = rig.operator.asked().join("");
    assert!(asked.contains(r#"entity_id: "u", entity_type: "user""#), "{asked}");
    assert!(asked.contains("1.50"), "the number's text is kept: {asked}");
    let answered = rig.ask("POST /admin/explain", r#"{"flag_key":"nope"}"#).await;
    assert_eq!(answered.status, 404);
}

#[tokio::test]
async fn a_bad_body_is_refused_by_the_name_of_what_is_wrong() {
    let rig = Rig::new(|_| {});
    let deep = format!(r#"{{"flag_key":"k","context":{}1{}}}"#, "[".repeat(110), "]".repeat(110));
    for (route, body, part) in [
        ("invalidate", "", "the body: EOF"),
        ("invalidate", "{}", "missing field `flag_key`"),
        ("invalidate", r#"{"flag_key":""}"#, "`flag_key` is empty"),
        ("invalidate", r#"{"flag_key":1}"#, "`flag_key`: invalid type"),
        ("invalidate", r#"{"flag_key":"k","flag_kye":"k"}"#, "unknown field `flag_kye`"),
        ("invalidate", r#"{"flag_key":"k"} x"#, "trailing characters"),
        ("invalidate", r#"{"flag_key":"k","flag_key":"l"}"#, "duplicate field"),
        ("explain", r#"{"flag_key":"k","entity_id":null}"#, "`entity_id`: invalid type"),
        ("explain", r#"{"flag_key":"k","contxt":{}}"#, "unknown field `contxt`"),
        ("explain", &deep, "`context`: nested deeper"),
    ] {
        let answered = rig.ask(&format!("POST /admin/{route}"), body).await;
        let message = answered.body["error"].as_str().unwrap();
        assert_eq!(answered.status, 400, "{body}");
        assert!(message.contains(part), "{body}: {message}");
    }
    let bytes = &b"{\"flag_key\":\"\xff\"}"[..];
    let answered = ask(rig.admin.service(), "POST /admin/invalidate", &[RIGHT, JSON], bytes).await;
    assert_eq!(answered.status, 400);
    for media_type in ["text/plain", "", "application/x-www-form-urlencoded"] {
        let headers = [RIGHT, ("content-type", media_type)];
        let body = r#"{"flag_key":"k"}"#;
        let answered = ask(rig.admin.service(), "POST /admin/invalidate", &headers, body).await;
        assert_eq!(answered.status, 415, "{media_type}");
    }
    assert_eq!(rig.operator.asked(), Vec::<String>::new(), "nothing changed");
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_as_json() {
    let rig = Rig::new(|_| {});
    for (route, status, allow) in [
        ("GET /", 404, ""),
        ("GET /admin/nothing", 404, ""),
        ("GET /metrics", 404, ""),
        ("GET //admin/stats", 404, ""),
        ("GET /ADMIN/stats", 404, ""),
        ("POST /health", 405, "GET, HEAD"),
        ("DELETE /admin/flags/checkout", 405, "GET, HEAD"),
        ("GET /admin/refresh", 405, "POST"),
        ("HEAD /admin/invalidate", 405, "POST"),
        ("HEAD /health", 200, ""),
    ] {
        let answered = rig.ask(route, "").await;
        let given = answered.headers.get("allow").map_or("", |it| it.to_str().unwrap());
        assert_eq!((answered.status, given), (status, allow), "{route}");
        assert_eq!(answered.headers["content-type"], "application/json", "{route}");
        assert_eq!(answered.headers["cache-control"], "no-store", "{route}");
        assert!(status == 200 || answered.body["error"].is_string(), "{route}");
    }
    let admin =
        rig.admin.with_metrics("text/plain; version=0.0.4", Arc::new(|| "up 1\n".to_owned()));
    let answered = ask(admin.service(), "GET /metrics", &[], "").await;
    assert_eq!((answered.status, answered.body), (200, json!("up 1\n")));
    assert_eq!(answered.headers["content-type"], "text/plain; version=0.0.4");
}

#[tokio::test]
async fn bodies_are_limited() {
    let rig = Rig::new(|config| config.max_body_bytes = 20);
    assert_eq!(rig.ask("POST /admin/invalidate", r#"{"flag_key":"12345"}"#).await.status, 200);
    let answered = rig.ask("POST /admin/invalidate", r#"{"flag_key":"123456"}"#).await;
    assert_eq!(
        (answered.status, answered.body),
        (413, json!({"error": "the body has more than 20 bytes"}))
    );
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let rig = Rig::new(|config| config.max_concurrent_requests = 1);
    rig.operator.go_on.forget_permits(1_000);
    let admin = rig.admin.clone();
    let first = tokio::spawn(async move {
        ask(admin.service(), "POST /admin/refresh", &[RIGHT], "").await.status
    });
    rig.operator.started.acquire().await.unwrap().forget();
    let answered = rig.ask("GET /admin/stats", "").await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.headers["retry-after"], "1");
    assert_eq!(rig.ask("GET /health", "").await.status, 200);
    assert_eq!(rig.ask("GET /ready", "").await.status, 200);
    rig.operator.go_on.add_permits(1);
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(rig.ask("GET /admin/stats", "").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_given_up() {
    let rig = Rig::new(|config| config.answer_timeout = Duration::from_secs(5));
    rig.operator.go_on.forget_permits(1_000);
    assert_eq!(rig.ask("POST /admin/refresh", "").await.status, 504);
    rig.operator.go_on.add_permits(1);
    assert_eq!(rig.ask("POST /admin/refresh", "").await.status, 200);
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let rig = Rig::new(|config| config.max_concurrent_requests = 1);
    let answered = rig.ask("POST /admin/explain", r#"{"flag_key":"panic"}"#).await;
    assert_eq!(
        (answered.status, answered.body),
        (500, json!({"error": "the request could not be answered"}))
    );
    assert_eq!(rig.ask("GET /admin/stats", "").await.status, 200, "its place is free again");
}

#[tokio::test]
async fn the_openapi_document_describes_what_is_answered() {
    let rig = Rig::new(|_| {});
    let document = rig.ask("GET /openapi.json", "").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let open = [("GET /health", ""), ("GET /ready", ""), ("GET /openapi.json", "")];
    let routes: Vec<_> = open.into_iter().chain(GUARDED).collect();
    let described = document["paths"].as_object().unwrap();
    assert_eq!(
        described.len(),
        routes.len() + 1,
        "all routes and /metrics: {:?}",
        described.keys()
    );
    let described = |route: &str, status: u16| {
        let (method, path) = route.split_once(' ').unwrap();
        let path =
            path.replace("/flags/checkout", "/flags/{key}").replace("/flags/nope", "/flags/{key}");
        let operation = document["paths"][path][method.to_lowercase()].clone();
        assert!(operation.is_object(), "{route}");
        let schema =
            operation["responses"][status.to_string()]["content"]["application/json"]["schema"]
                .clone();
        assert!(schema.is_object(), "{route} {status}");
        (operation, schema)
    };
    for (route, body) in &routes {
        let answered = rig.ask(route, body).await;
        assert_eq!(answered.status, 200, "{route}");
        let (operation, schema) = described(route, 200);
        check(&document, &schema, &answered.body, route);
        let guarded = route.contains("/admin/");
        assert_eq!(operation["security"].is_array(), guarded, "{route}");
        if guarded {
            let answered = ask(rig.admin.service(), route, &[], *body).await;
            check(&document, &described(route, answered.status).1, &answered.body, route);
        }
        if !body.is_empty() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            check(&document, schema, &serde_json::from_str(body).unwrap(), route);
            let answered = rig.ask(route, "{}").await;
            check(&document, &described(route, answered.status).1, &answered.body, route);
        }
    }
    *rig.operator.fails.lock().unwrap() = true;
    rig.operator.not_ready.lock().unwrap().push("why".into());
    for (route, body) in [
        ("GET /ready", ""),
        ("GET /admin/flags/nope", ""),
        ("POST /admin/explain", r#"{"flag_key":"nope"}"#),
        ("POST /admin/refresh", ""),
        ("POST /admin/invalidate-all", ""),
        ("POST /admin/invalidate", r#"{"flag_key":"k"}"#),
    ] {
        let answered = rig.ask(route, body).await;
        assert!(answered.status >= 400, "{route}");
        check(&document, &described(route, answered.status).1, &answered.body, route);
    }
}
