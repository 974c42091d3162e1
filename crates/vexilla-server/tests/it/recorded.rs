//! What a real Flagr answered, against what the sidecar answers. The engine is told what Flagr's answer says, so reading
//! and writing are compared byte for byte; deciding is compared elsewhere.

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde::Deserialize;

use crate::fake::Rig;

const POST_ERRORS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/post-errors.jsonl");
const EXCHANGES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/recordings/flagr-http.json");

/// One recorded `POST`. A long body or response is kept as pieces of text and how often each is repeated.
#[derive(Deserialize)]
struct Case {
    name: String,
    path: String,
    content_type: Option<String>,
    body: Option<String>,
    body_base64: Option<String>,
    body_runs: Option<Vec<(String, usize)>>,
    status: u16,
    response_content_type: String,
    response: Option<String>,
    response_runs: Option<Vec<(String, usize)>>,
}

fn repeated(runs: &[(String, usize)]) -> String {
    runs.iter().map(|(text, times)| text.repeat(*times)).collect()
}

impl Case {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64, &self.body_runs) {
            (Some(text), _, _) => text.clone().into_bytes(),
            (_, Some(encoded), _) => base64(encoded),
            (_, _, Some(runs)) => repeated(runs).into_bytes(),
            (None, None, None) => Vec::new(),
        }
    }

    fn response(&self) -> String {
        self.response.clone().unwrap_or_else(|| repeated(self.response_runs.as_ref().unwrap()))
    }

    /// Where the sidecar differs on purpose: Flagr takes contexts nested 10,000 levels deep.
    fn is_nested_too_deep(&self) -> bool {
        let depth: usize = self.name.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let in_context =
            ["in entityContext", "in entities item"].iter().any(|it| self.name.ends_with(it));
        self.status == 200 && in_context && depth > 100
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().map_while(digit).collect();
    let bytes = digits.chunks(4).flat_map(|group| {
        let bits = group
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (at, digit)| bits | u32::from(*digit) << (18 - 6 * at));
        bits.to_be_bytes()[1..group.len()].to_vec()
    });
    bytes.collect()
}

/// Compares all cases of a file; gives how many there were and which were refused for their depth.
async fn check(path: &str) -> (usize, usize) {
    let rig = Rig::new(|config| {
        config.max_body_bytes = 4 << 20;
        config.max_batch_size = 0;
    });
    let (mut count, mut too_deep, mut failures) = (0, 0, Vec::new());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let expected = rig.script(&case.response());
        let mut request = Request::post(&case.path);
        if let Some(content_type) = &case.content_type {
            request =
                request.header("content-type", HeaderValue::from_str(content_type.trim()).unwrap());
        }
        let answered = rig.send(request.body(Full::new(case.body().into())).unwrap()).await;
        count += 1;
        let same_body = if case.is_nested_too_deep() {
            too_deep += 1;
            answered.status == 400 && answered.body.contains("nested deeper than 100 levels")
        } else if expected.starts_with("PANIC: ") {
            answered.status == 500 && answered.body.starts_with("PANIC: ")
        } else {
            answered.status == case.status && answered.body == expected
        };
        if !same_body || answered.content_type != case.response_content_type {
            let shorten = |text: &str| text.chars().take(400).collect::<String>();
            let body = shorten(&String::from_utf8_lossy(&case.body()));
            failures.push(format!(
                "{}: {:?} {body}\n  expected {} {}\n  answered {} {}",
                case.name,
                case.content_type,
                case.status,
                shorten(&expected),
                answered.status,
                shorten(&answered.body)
            ));
        }
    }
    failures.truncate(20);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    (count, too_deep)
}

#[tokio::test]
async fn every_recorded_post_is_answered_alike() {
    let (count, too_deep) = check(POST_ERRORS).await;
    println!("{count} recorded answers, {too_deep} of them refused here for their depth");
    assert_eq!((count, too_deep), (2_865, 12));
}

/// More recordings of the same form, if somebody has them at hand.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a slow test asks an environment variable")]
async fn every_post_of_another_recording_is_answered_alike() {
    let Ok(path) = std::env::var("VEXILLA_POST_RECORDING") else { return };
    let (count, too_deep) = check(&path).await;
    println!("{count} recorded answers, {too_deep} of them refused here for their depth");
}

#[derive(Deserialize)]
pub(crate) struct Recording {
    pub(crate) exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) request: RecordedRequest,
    pub(crate) response: RecordedResponse,
}

#[derive(Deserialize)]
pub(crate) struct RecordedRequest {
    method: String,
    pub(crate) path: String,
    headers: std::collections::BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct RecordedResponse {
    pub(crate) status: u16,
    pub(crate) headers: std::collections::BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Recording {
    pub(crate) fn read() -> Self {
        serde_json::from_str(&std::fs::read_to_string(EXCHANGES).unwrap()).unwrap()
    }
}

/// The exchanges of routes that the sidecar has; narrowed exports are compared in `export`.
fn is_served(exchange: &Exchange) -> bool {
    let path = exchange.request.path.as_str();
    let is_refused = [404, 405].contains(&exchange.response.status)
        && exchange.response.body.starts_with("{\"code\"");
    path.starts_with("/api/v1/evaluation")
        || path == "/api/v1/export/eval_cache/json"
        || path == "/api/v1/flags/snapshots/max_id"
        || exchange.name == "health"
        || exchange.request.method == "HEAD"
        || is_refused
}

impl Exchange {
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request =
            Request::builder().method(self.request.method.as_str()).uri(&self.request.path);
        for (name, value) in &self.request.headers {
            request = request.header(name, value);
        }
        let body = Bytes::from(self.request.body.clone().unwrap_or_default());
        request.body(Full::new(body)).unwrap()
    }
}

/// Flagr tells the methods of a path in a random order.
fn in_order(methods: &str) -> String {
    let sorted = |list: &str| {
        let mut list: Vec<&str> = list.split(',').collect();
        list.sort_unstable();
        list.join(",")
    };
    match methods.split_once('[').and_then(|(a, rest)| Some((a, rest.split_once(']')?))) {
        Some((before, (list, after))) => format!("{before}[{}]{after}", sorted(list)),
        None => sorted(methods),
    }
}

#[tokio::test]
async fn every_recorded_exchange_comes_out_equal() {
    const COMPARED: [&str; 4] = ["content-type", "vary", "allow", "access-control-allow-origin"];
    let rig = Rig::new(|_| {});
    let mut count = 0;
    for exchange in Recording::read().exchanges.iter().filter(|it| is_served(it)) {
        let mut expected = rig.script(&exchange.response.body);
        rig.publish(1, &expected);
        let max_id = expected.trim().strip_prefix("{\"maxID\":").map(|it| it.trim_end_matches('}'));
        *rig.engine.max_snapshot_id.lock().unwrap() = max_id.map_or(0, |it| it.parse().unwrap());
        let mut answered = rig.send(exchange.request()).await;
        answered.headers.retain(|name, _| COMPARED.contains(&&**name));
        let mut headers = exchange.response.headers.clone();
        if exchange.response.status == 405 {
            headers.entry("allow".to_owned()).and_modify(|it| *it = in_order(it));
            expected = in_order(&expected);
        }
        if exchange.request.method == "HEAD" {
            answered.body.clear(); // the connection leaves it out
        }
        let expected = (exchange.response.status, expected, headers);
        let answered = (answered.status, answered.body, answered.headers);
        assert_eq!(answered, expected, "{}", exchange.name);
        count += 1;
    }
    println!("{count} recorded exchanges");
    assert_eq!(count, 74);
}
