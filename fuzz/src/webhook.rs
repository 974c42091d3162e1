//! The webhook's bodies. Input: the first byte chooses what the sender knows, the rest is the body.
//!
//! Who has the header or the secret is answered 200 or told what is wrong with the body; nobody else gets through. The
//! flags that the client is told of are those that a plain look at the JSON finds; a body that cannot be read stands for
//! all of them, if the header says who sent it, and for none otherwise.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Sha256;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use vexilla_domain::{
    Context, Explanation, FlagId, FlagName, FlagSummary, Freshness, Operator, Readiness, Secret,
    SourceError, Stats,
};
use vexilla_server::{Webhook, WebhookConfig, WebhookHeader};

use crate::engine::StoppedClock;

const SECRET: &str = "signing secret";
const HEADER: &str = "Bearer header secret";
const MAX_FLAGS: usize = 1_000;

thread_local! {
    static RIG: LazyCell<(Runtime, Webhook, Arc<Told>)> = LazyCell::new(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let told = Arc::new(Told::default());
        #[expect(clippy::disallowed_methods, reason = "where time comes from")]
        let clock = Arc::new(StoppedClock(Instant::now()));
        let mut config = WebhookConfig::default();
        config.signing_secret = Some(Secret::new(SECRET));
        config.header = Some(WebhookHeader { name: "authorization".into(), value: Secret::new(HEADER) });
        let webhook = Webhook::new(told.clone(), clock, config).unwrap();
        (runtime, webhook, told)
    });
}

/// What a sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Header,
    Signature,
    WrongHeader,
    WrongSignature,
    Nothing,
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((sender, body)) = input.split_first() else { return };
    let sender = match sender % 8 {
        0..=3 => Sender::Header,
        4 => Sender::Signature,
        5 => Sender::WrongHeader,
        6 => Sender::WrongSignature,
        _ => Sender::Nothing,
    };
    RIG.with(|rig| {
        let (runtime, webhook, told) = &**rig;
        let (status, answer) = runtime.block_on(async {
            let answer = webhook.service().oneshot(request(sender, body)).await.unwrap();
            let (head, body) = answer.into_parts();
            (head.status.as_u16(), body.collect().await.unwrap().to_bytes())
        });
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        let told = std::mem::take(&mut *told.notes.lock().unwrap());
        match (sender, status) {
            (Sender::Header | Sender::Signature, 200) => match answer["status"].as_str() {
                Some("taken") => assert_eq!(told, [plain(body)]),
                Some("repeated") if sender == Sender::Signature => assert_eq!(told, [plain(body)]),
                other => panic!("{other:?}"),
            },
            // It is authentic, so something changed, if nobody can read what.
            (Sender::Header, 400) => assert_eq!(told, [Vec::new()]),
            (Sender::Signature, 400 | 401) => assert_eq!(told, [[]; 0]),
            (Sender::WrongHeader | Sender::WrongSignature | Sender::Nothing, 401) => {
                assert_eq!(told, [[]; 0]);
            }
            other => panic!("{other:?} {answer}"),
        }
    });
}

fn request(sender: Sender, body: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::post("/webhook");
    let request = match sender {
        Sender::Header => request.header("authorization", HEADER),
        Sender::WrongHeader => request.header("authorization", "Bearer header secret "),
        Sender::Signature => request.header("x-webhook-signature", signature(SECRET, body)),
        Sender::WrongSignature => request.header("x-webhook-signature", signature("other", body)),
        Sender::Nothing => request,
    };
    request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The flags of a notice that was taken, read another way: member by member, and no other member is looked into.
fn plain(body: &[u8]) -> Vec<FlagName> {
    let notice = String::from_utf8_lossy(body);
    let notice: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&notice).expect("what was taken is JSON");
    let member = |name: &str| {
        let member = notice.get(name).map_or("null", |it| it.get());
        serde_json::from_str::<Value>(member).expect("what is read is JSON")
    };
    let text = |value: &Value| Box::from(value.as_str().unwrap_or_default());
    if member("operation").is_string() {
        let id = FlagId(member("flag_id").as_u64().unwrap_or_default());
        return vec![FlagName { id, key: text(&member("flag_key")) }];
    }
    let keys = member("flag_keys");
    let keys = keys.as_array().expect("what was taken names flags");
    if MAX_FLAGS < keys.len() {
        return Vec::new(); // all of them
    }
    keys.iter().map(|key| FlagName { id: FlagId(0), key: text(key) }).collect()
}

/// Remembers what it is told.
#[derive(Debug, Default)]
struct Told {
    notes: Mutex<Vec<Vec<FlagName>>>,
}

#[async_trait]
impl Operator for Told {
    fn stats(&self) -> Stats {
        Stats::default()
    }

    fn readiness(&self) -> Readiness {
        Readiness { reasons: Vec::new() }
    }

    fn flags(&self) -> Vec<FlagSummary> {
        Vec::new()
    }

    fn definition(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn explain(&self, _: &str, _: &Context) -> Option<Explanation> {
        None
    }

    async fn refresh(&self) -> Result<Freshness, SourceError> {
        Ok(Freshness::default())
    }

    async fn reread(&self, _: &[FlagName]) -> Result<Freshness, SourceError> {
        Ok(Freshness::default())
    }

    async fn reread_all(&self) -> Result<Freshness, SourceError> {
        Ok(Freshness::default())
    }

    fn notify(&self, flags: &[FlagName]) {
        self.notes.lock().unwrap().push(flags.to_vec());
    }

    async fn source_health(&self) -> Result<(), SourceError> {
        Ok(())
    }
}
