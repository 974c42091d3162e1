//! A Flagr over HTTP whose flags a test changes, and requests to the servers in front of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;
use vexilla::{Client, FlagrConfig, ListenAddress, Sidecar, SystemClock};
use vexilla_domain::Clock;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::scripted::flag;

/// Flags and what was asked of them.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// In the export's spelling, with the newest snapshot.
    flags: BTreeMap<u64, (u64, Value)>,
    newest: u64,
    /// Each as `GET /api/v1/health`.
    pub(crate) asked: Vec<String>,
    /// The headers of evaluations.
    pub(crate) headers: Vec<http::HeaderMap>,
    /// Set while a read of one flag is to wait.
    gate: Option<Gate>,
    /// Set where the export is behind.
    lag: Option<Lag>,
    /// The newest change that an export has shown.
    shown: watch::Sender<u64>,
}

/// What the export shows, as Flagr's: it is loaded anew at intervals.
#[derive(Debug)]
struct Lag {
    interval: Duration,
    loaded: Instant,
    newest: u64,
    flags: Vec<Value>,
}

/// A read says that it is there, and waits to go on.
#[derive(Debug)]
struct Gate {
    arrived: mpsc::UnboundedSender<()>,
    go_on: std::sync::mpsc::Receiver<()>,
}

#[derive(Debug, Clone)]
struct Answers(Arc<Mutex<State>>);

/// The running Flagr.
#[derive(Debug)]
pub(crate) struct Upstream {
    state: Arc<Mutex<State>>,
    server: MockServer,
}

impl Upstream {
    /// With flags that are on for everybody, of these keys; their ids count from 1.
    pub(crate) async fn start(keys: &[&str]) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        for (key, id) in keys.iter().zip(1..) {
            state.lock().unwrap().put(id, serde_json::from_str(&flag(id, key, "")).unwrap());
        }
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
        Self { state, server }
    }

    /// Where it is, for a client that waits as long as it takes.
    pub(crate) fn config(&self) -> FlagrConfig {
        let mut config = FlagrConfig::new(self.server.uri());
        config.bulk_idle_timeout = Duration::from_secs(60);
        config
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often this was asked.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.state().asked.iter().filter(|it| it.contains(what)).count()
    }

    /// From now on the export is behind as that of a Flagr with this interval is.
    pub(crate) fn lag(&self, interval: Duration) {
        let mut state = self.state();
        let (loaded, newest, flags) = (SystemClock.instant(), state.newest, state.all());
        state.lag = Some(Lag { interval, loaded, newest, flags });
    }

    /// Waits until an export has shown all there is.
    pub(crate) async fn all_is_shown(&self) {
        let (newest, mut shown) = {
            let state = self.state();
            (state.newest, state.shown.subscribe())
        };
        shown.wait_for(|it| *it == newest).await.unwrap();
    }

    /// The next read of one flag waits until the sender says so; the receiver tells when it is there.
    pub(crate) fn hold_next_read(
        &self,
    ) -> (mpsc::UnboundedReceiver<()>, std::sync::mpsc::Sender<()>) {
        let (arrived, arrival) = mpsc::unbounded_channel();
        let (go, go_on) = std::sync::mpsc::channel();
        self.state().gate = Some(Gate { arrived, go_on });
        (arrival, go)
    }
}

impl State {
    /// Changes a flag, or makes it.
    pub(crate) fn put(&mut self, id: u64, mut flag: Value) {
        self.newest += 1;
        flag["SnapshotID"] = self.newest.into();
        self.flags.insert(id, (self.newest, flag));
    }

    pub(crate) fn set_enabled(&mut self, id: u64, enabled: bool) {
        let mut flag = self.flags[&id].1.clone();
        flag["Enabled"] = enabled.into();
        self.put(id, flag);
    }

    pub(crate) fn rename(&mut self, id: u64, key: &str) {
        let mut flag = self.flags[&id].1.clone();
        flag["Key"] = key.into();
        self.put(id, flag);
    }

    pub(crate) fn delete(&mut self, id: u64) {
        self.newest += 1;
        self.flags.remove(&id);
    }

    fn all(&self) -> Vec<Value> {
        self.flags.values().map(|(_, flag)| flag.clone()).collect()
    }

    fn export(&mut self) -> Vec<Value> {
        let (now, newest, flags) = (SystemClock.instant(), self.newest, self.all());
        let Some(lag) = &mut self.lag else { return flags };
        if lag.loaded + lag.interval <= now {
            *lag = Lag { interval: lag.interval, loaded: now, newest, flags };
        }
        self.shown.send_replace(lag.newest);
        lag.flags.clone()
    }

    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        self.asked.push(format!("{} {path}", request.method));
        let body = |value: Value| ResponseTemplate::new(200).set_body_json(value);
        let row = |flag: &Value| json!({"id": flag["ID"], "key": flag["Key"]});
        let parts: Vec<_> = path.trim_start_matches("/api/v1/").split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["flags", "snapshots", "max_id"]) => body(json!({"maxID": self.newest})),
            ("GET", ["export", "eval_cache", "json"]) => body(json!({"Flags": self.export()})),
            ("GET", ["flags"]) => body(self.all().iter().map(row).collect()),
            ("GET", ["flags", id]) => match self.flags.get(&id.parse().unwrap()) {
                Some((_, flag)) => body(row(flag)),
                None => ResponseTemplate::new(404).set_body_json(
                    json!({"message": format!("unable to find flag {id} in the database")}),
                ),
            },
            ("GET", ["flags", id, "snapshots"]) => match self.flags.get(&id.parse().unwrap()) {
                Some((snapshot, flag)) => body(json!([{"id": snapshot, "flag": flag}])),
                None => body(json!([])),
            },
            ("PUT", ["flags", id, "enabled"]) => {
                let wanted: Value = serde_json::from_slice(&request.body).unwrap();
                let id = id.parse().unwrap();
                self.set_enabled(id, wanted["enabled"].as_bool().unwrap());
                body(row(&self.flags[&id].1))
            }
            ("POST", ["evaluation"]) => {
                self.headers.push(request.headers.clone());
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                body(json!({
                    "flagID": 1, "flagKey": asked["flagKey"], "flagSnapshotID": 1, "flagTags": [],
                    "segmentID": 1, "variantID": 1, "variantKey": "flagrs",
                    "evalContext": asked, "evalDebugLog": {}, "timestamp": "2026-11-23T00:00:00Z",
                }))
            }
            ("POST", ["exposures"]) => body(json!({"loggedCount": 1})),
            ("GET", ["", "" | "ui"]) => ResponseTemplate::new(200).set_body_string("<html>Flagr"),
            _ => ResponseTemplate::new(404),
        }
    }
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let is_single = request.url.path().ends_with("/snapshots");
        let gate = if is_single { self.0.lock().unwrap().gate.take() } else { None };
        if let Some(Gate { arrived, go_on }) = gate {
            let _ = arrived.send(());
            let _ = go_on.recv(); // whoever drops it lets us go on too
        }
        self.0.lock().unwrap().answer(request)
    }
}

/// An answer: its status, its headers, its body.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Asks a server of a client. `what` is a method and a path.
pub(crate) async fn ask(
    address: &ListenAddress,
    what: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let ListenAddress::Tcp(address) = address else { unreachable!("{address}") };
    let mut connection = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let mut request = format!(
        "{what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n"
    );
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    request.push_str("\r\n");
    request.push_str(body);
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Asks a sidecar in process.
pub(crate) async fn through(
    sidecar: &Sidecar,
    what: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answered {
    let (method, target) = what.split_once(' ').unwrap();
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let (head, body) = sidecar.service().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answered { status: head.status.as_u16(), headers: head.headers, body }
}

/// Whether a flag is on by the rules that are held.
pub(crate) fn on(client: &Client, key: &str) -> bool {
    client.local().bool(key, &vexilla::Context::new("u"), false)
}
