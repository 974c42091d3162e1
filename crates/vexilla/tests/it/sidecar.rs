//! Flagr's recorded answers, through the sidecar over a client.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use http_body_util::{BodyExt, Full};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tower::{Service, ServiceExt};
use vexilla::{Client, ExportPolicy, SidecarConfig};

fn recorded(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A client of these flags, in either spelling.
async fn client(flags: &str) -> Client {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flags.json");
    std::fs::write(&path, flags).unwrap();
    let client =
        Client::builder().flags_file(path).export(ExportPolicy::Keep).start().await.unwrap();
    assert_eq!(client.problems().iter().filter(|it| it.level == vexilla::Level::Error).count(), 0);
    client
}

/// An answer's status, content type and body.
type Answered = (u16, String, String);

/// Sends requests to the sidecar of a client, in process.
async fn ask(
    client: &Client,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: &str,
) -> Answered {
    let mut request = http::Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).unwrap();
    let mut service = client.sidecar(SidecarConfig::default()).service();
    let response = service.ready().await.unwrap().call(request).await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type");
    let content_type = content_type.map_or_else(String::new, |it| it.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, content_type, String::from_utf8(body.to_vec()).unwrap())
}

/// The text without what differs from one evaluation to the next: its time, and random entity ids.
fn steady(text: &str) -> String {
    let times = Regex::new(r#""timestamp":"[^"]*""#).unwrap();
    let entities = Regex::new("randomly_generated_[0-9]+").unwrap();
    let text = times.replace_all(text, "\"timestamp\":\"now\"");
    entities.replace_all(&text, "randomly_generated_0").into_owned()
}

#[derive(Deserialize)]
struct Recording<'r> {
    #[serde(borrow)]
    export: &'r RawValue,
    #[serde(borrow)]
    flags: &'r RawValue,
    #[serde(borrow)]
    evaluations: Vec<Recorded<'r>>,
    #[serde(borrow)]
    batches: Vec<Recorded<'r>>,
}

#[derive(Deserialize)]
struct Recorded<'r> {
    #[serde(borrow)]
    request: &'r RawValue,
    status: u16,
    response: Value,
}

/// The answer's JSON without its times and, where the flags came without them, snapshot ids; batches in one order, since
/// Flagr gives flags selected by tag in a random one.
fn comparable(mut answer: Value, with_snapshots: bool) -> Value {
    let strip = |result: &mut Value| {
        let members = result.as_object_mut().unwrap();
        members.remove("timestamp");
        if !with_snapshots {
            members.remove("flagSnapshotID");
        }
    };
    match answer.get_mut("evaluationResults").and_then(Value::as_array_mut) {
        None => strip(&mut answer),
        Some(results) => {
            results.iter_mut().for_each(strip);
            results.sort_by_key(Value::to_string);
        }
    }
    answer
}

async fn check(client: &Client, recording: &Recording<'_>, with_snapshots: bool) {
    let evaluations = recording.evaluations.iter().map(|it| ("/api/v1/evaluation", it));
    let batches = recording.batches.iter().map(|it| ("/api/v1/evaluation/batch", it));
    let mut count = 0;
    for (path, recorded) in evaluations.chain(batches) {
        let request = recorded.request.get();
        let (status, content_type, body) =
            ask(client, "POST", path, Some("application/json"), request).await;
        assert_eq!((status, &*content_type), (recorded.status, "application/json"), "{request}");
        let ours = comparable(serde_json::from_str(&body).unwrap(), with_snapshots);
        assert_eq!(ours, comparable(recorded.response.clone(), with_snapshots), "{request}");
        count += 1;
    }
    assert_eq!(count, 2_040);
}

#[tokio::test]
async fn recorded_evaluations_and_batches_from_the_export() {
    let text = recorded("flags.json");
    let recording: Recording<'_> = serde_json::from_str(&text).unwrap();
    check(&client(recording.export.get()).await, &recording, true).await;
}

#[tokio::test]
async fn recorded_evaluations_and_batches_from_the_rest_list() {
    let text = recorded("flags.json");
    let recording: Recording<'_> = serde_json::from_str(&text).unwrap();
    check(&client(recording.flags.get()).await, &recording, false).await;
}

#[derive(Deserialize)]
struct Session {
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
struct Exchange {
    name: String,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
    headers: HashMap<String, String>,
    body: String,
}

#[tokio::test]
async fn the_recorded_session_is_answered_to_the_letter() {
    let Session { exchanges } =
        serde_json::from_str(&recorded("recordings/flagr-http.json")).unwrap();
    let export = exchanges.iter().find(|it| it.name == "export").unwrap();
    let client = client(&export.response.body).await;
    let mut count = 0;
    let ours = |it: &&Exchange| {
        let posts =
            it.request.method == "POST" && it.request.path.starts_with("/api/v1/evaluation");
        let gets =
            it.request.method == "GET" && (it.name.starts_with("export") || it.name == "health");
        let empty = it.name.starts_with("empty server");
        (posts || gets) && !empty && !it.request.path.contains("sqlite")
    };
    for Exchange { name, request, response } in exchanges.iter().filter(ours) {
        let content_type = request.headers.get("Content-Type").map(String::as_str);
        let body = request.body.as_deref().unwrap_or_default();
        let (status, content_type, body) =
            ask(&client, &request.method, &request.path, content_type, body).await;
        assert_eq!(status, response.status, "{name}");
        assert_eq!(Some(&content_type), response.headers.get("content-type"), "{name}");
        if name.starts_with("export") && status == 200 {
            // Flagr writes the flags of an export in random order.
            assert_eq!(in_order(&body), in_order(&response.body), "{name}");
        } else {
            assert_eq!(steady(&body), steady(&response.body), "{name}");
        }
        count += 1;
    }
    assert!(count >= 60, "{count} exchanges");
}

#[derive(Deserialize)]
struct Get {
    path: String,
    query: String,
    status: u16,
    response: String,
}

#[tokio::test]
async fn recorded_queries_are_answered_to_the_letter() {
    let text = recorded("queries.jsonl");
    let mut lines = text.lines();
    let client = client(lines.next().unwrap()).await;
    let mut count = 0;
    for line in lines {
        let Get { path, query, status, response } = serde_json::from_str(line).unwrap();
        let mut asked = format!("{path}?json=");
        for byte in query.bytes() {
            write!(asked, "%{byte:02X}").unwrap();
        }
        let answered = ask(&client, "GET", &asked, None, "").await;
        assert_eq!((answered.0, steady(&answered.2)), (status, steady(&response)), "{query}");
        count += 1;
    }
    assert_eq!(count, 378);
}

/// The flags of an export in the order of their ids.
fn in_order(export: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Export<'e> {
        #[serde(rename = "Flags", borrow)]
        flags: Vec<&'e RawValue>,
    }
    let export: Export<'_> = serde_json::from_str(export).unwrap();
    let mut flags: Vec<_> = export.flags.iter().map(ToString::to_string).collect();
    flags.sort();
    flags
}
