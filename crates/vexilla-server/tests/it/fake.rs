//! An engine that answers what a test tells it to, and a clock that stands still.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::value::RawValue;
use tower::ServiceExt;
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Clock, Context, Debug, DebugLog, Engine, Evaluation,
    EvaluationRef, Explanation, Export, FlagHead, FlagId, FlagName, FlagRef, FlagSummary,
    Freshness, Needs, Operator, Readiness, Reason, Revision, SegmentId, SegmentLog, SelectedBy,
    SnapshotId, Source, SourceError, Stats, Strategy, Value, VariantHead, VariantId,
};
use vexilla_server::{Sidecar, SidecarConfig, SidecarParts};

/// Gives the answers it was scripted with, in order; without a script the flag is unknown.
#[derive(Debug, Default)]
pub(crate) struct FakeEngine {
    pub(crate) answers: Mutex<VecDeque<Answer>>,
    pub(crate) export: Mutex<Option<Export>>,
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) freshness: Mutex<Freshness>,
    pub(crate) max_snapshot_id: Mutex<u64>,
}

impl FakeEngine {
    pub(crate) fn next_answer(&self) -> Answer {
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Answer {
            evaluation: EvaluationRef::blank(None, Reason::NotFound).to_owned(),
            entity_id: Box::default(),
            log: DebugLog { message: "flagID 0 not found or deleted".to_owned(), segments: None },
        })
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn evaluate(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer {
        self.asked.lock().unwrap().push(format!("{flag:?} {context:?} {debug:?}"));
        self.next_answer()
    }

    /// Spreads the scripted answers over the entities; what ids and keys do not account for was selected by tag.
    async fn evaluate_batch(
        &self,
        batch: Batch<'_>,
        most: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge> {
        self.asked.lock().unwrap().push(format!("{batch:?}"));
        let mut seen = BTreeSet::new();
        let ids: Vec<_> = batch
            .flag_ids
            .iter()
            .filter(|id| seen.insert(**id))
            .map(|id| SelectedBy::Id(*id))
            .collect();
        let mut seen = BTreeSet::new();
        let keys =
            batch.flag_keys.iter().enumerate().filter(|(_, key)| seen.insert((*key).clone()));
        let keys: Vec<_> = keys.map(|(index, _)| SelectedBy::Key(index)).collect();
        let each =
            self.answers.lock().unwrap().len().checked_div(batch.entities.len()).unwrap_or(0);
        let tagged = each.saturating_sub(ids.len() + keys.len());
        let selected: Vec<_> =
            std::iter::repeat_n(SelectedBy::Tags, tagged).chain(ids).chain(keys).collect();
        let size = batch.entities.len() * selected.len();
        if most < size {
            return Err(BatchTooLarge::Answers { size, most });
        }
        let entities = 0..batch.entities.len();
        let pairs = entities.flat_map(|entity| selected.iter().map(move |by| (entity, *by)));
        let answers = pairs
            .map(|(entity, selected_by)| BatchAnswer {
                entity,
                selected_by,
                answer: self.next_answer(),
            })
            .collect();
        Ok(answers)
    }

    async fn export(&self) -> Option<Export> {
        self.export.lock().unwrap().clone()
    }

    fn freshness(&self) -> Freshness {
        *self.freshness.lock().unwrap()
    }

    fn max_snapshot_id(&self) -> u64 {
        *self.max_snapshot_id.lock().unwrap()
    }
}

/// Serves the flags that it is told to, and keeps what it was asked to read.
#[derive(Debug, Default)]
pub(crate) struct FakeOperator {
    pub(crate) flags: Mutex<Vec<FlagSummary>>,
    pub(crate) reread: Mutex<Vec<String>>,
    /// Whether reading never ends.
    pub(crate) hangs: bool,
    /// Why flags come out as they do, by the rules held here.
    pub(crate) reason: Mutex<Option<Reason>>,
}

impl FakeOperator {
    pub(crate) fn with_flags(keys: &[&str]) -> Self {
        let summary = |(at, key): (usize, &&str)| FlagSummary {
            id: FlagId(at as u64 + 1),
            key: (*key).into(),
            enabled: true,
            snapshot_id: SnapshotId(0),
            tags: Arc::default(),
            strategy: Strategy::Local,
            data_records_enabled: false,
            quarantined: false,
        };
        Self {
            flags: Mutex::new(keys.iter().enumerate().map(summary).collect()),
            ..Self::default()
        }
    }

    async fn read(&self, what: String) -> Result<Freshness, SourceError> {
        self.reread.lock().unwrap().push(what);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(Freshness::default())
    }
}

#[async_trait]
impl Operator for FakeOperator {
    fn stats(&self) -> Stats {
        Stats::default()
    }

    fn readiness(&self) -> Readiness {
        Readiness::default()
    }

    fn flags(&self) -> Vec<FlagSummary> {
        self.flags.lock().unwrap().clone()
    }

    fn definition(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn explain(&self, _: &str, _: &Context) -> Option<Explanation> {
        let reason = (*self.reason.lock().unwrap())?;
        Some(Explanation {
            evaluation: EvaluationRef::blank(None, reason).to_owned(),
            needs: Needs::NOTHING,
            entity_id: Box::default(),
            bucket: None,
            segments: Vec::new(),
        })
    }

    async fn refresh(&self) -> Result<Freshness, SourceError> {
        self.read("changes".to_owned()).await
    }

    async fn reread(&self, flags: &[FlagName]) -> Result<Freshness, SourceError> {
        let ids: Vec<_> = flags.iter().map(|it| it.id.0).collect();
        self.read(format!("{ids:?}")).await
    }

    async fn reread_all(&self) -> Result<Freshness, SourceError> {
        self.read("all".to_owned()).await
    }

    fn notify(&self, flags: &[FlagName]) {
        let ids: Vec<_> = flags.iter().map(|it| it.id.0).collect();
        self.reread.lock().unwrap().push(format!("later {ids:?}"));
    }

    async fn source_health(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// A clock that a test sets.
#[derive(Debug)]
pub(crate) struct FakeClock(pub(crate) Mutex<SystemTime>);

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "there is no other way to make an instant")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A sidecar with fakes behind it.
pub(crate) struct Rig {
    pub(crate) engine: Arc<FakeEngine>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) sidecar: Sidecar,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Rig {
    pub(crate) fn new(change: impl FnOnce(&mut SidecarConfig)) -> Self {
        Self::with(change, |parts| parts)
    }

    /// With further parts.
    pub(crate) fn with(
        change: impl FnOnce(&mut SidecarConfig),
        complete: impl FnOnce(SidecarParts) -> SidecarParts,
    ) -> Self {
        let mut config = SidecarConfig::default();
        change(&mut config);
        let engine = Arc::new(FakeEngine::default());
        let clock = Arc::new(FakeClock(Mutex::new(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        )));
        let parts = complete(SidecarParts::new(Arc::clone(&engine) as _, Arc::clone(&clock) as _));
        let sidecar = Sidecar::from_parts(parts, config);
        Self { engine, clock, sidecar }
    }

    /// Publishes these flags at this revision.
    pub(crate) fn publish(&self, sequence: u64, document: &str) {
        let freshness =
            Freshness { revision: Revision { epoch: 1, sequence }, ..Freshness::default() };
        *self.engine.freshness.lock().unwrap() = freshness;
        *self.engine.export.lock().unwrap() =
            Some(Export { json: document.as_bytes().into(), freshness });
    }

    /// Sends a request; lines of one header are joined by ` | `.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> (u16, BTreeMap<String, String>, Bytes) {
        let response = self.sidecar.service().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &head.headers {
            let line = headers.entry(name.to_string()).or_default();
            line.push_str(if line.is_empty() { "" } else { " | " });
            line.push_str(value.to_str().unwrap());
        }
        (head.status.as_u16(), headers, body)
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answered {
        let (status, headers, body) = self.exchange(request).await;
        Answered {
            status,
            content_type: headers.get("content-type").cloned().unwrap_or_default(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            headers,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answered {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// Sends a request without a body.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, BTreeMap<String, String>, Bytes) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.exchange(request.body(Full::default()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Full::default()).unwrap()).await
    }

    /// Makes the engine and the clock say what must have been behind a recorded body, if it is one of evaluations.
    /// Gives the body with one time everywhere, as here one clock reading counts for a whole batch.
    pub(crate) fn script(&self, recorded: &str) -> String {
        let results: Vec<&RawValue> =
            match serde_json::from_str::<BTreeMap<String, &RawValue>>(recorded) {
                Ok(members) if members.contains_key("evaluationResults") => {
                    serde_json::from_str(members["evaluationResults"].get()).unwrap()
                }
                Ok(members) if members.contains_key("recordSource") => {
                    vec![serde_json::from_str(recorded).unwrap()]
                }
                _ => Vec::new(),
            };
        let mut body = recorded.to_owned();
        let mut first_time = None;
        for result in &results {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(result.get()).unwrap();
            let time = members["timestamp"].get().to_owned();
            body = body.replace(&time, first_time.get_or_insert(time.clone()));
        }
        if let Some(time) = first_time {
            let time: jiff::Timestamp = time.trim_matches('"').parse().unwrap();
            *self.clock.0.lock().unwrap() = time.into();
        }
        *self.engine.answers.lock().unwrap() = results.into_iter().map(answer_behind).collect();
        body
    }
}

/// The text as a parameter of a query.
pub(crate) fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The answer that Flagr wrote in this way.
fn answer_behind(result: &RawValue) -> Answer {
    type Members<'t> = BTreeMap<String, &'t RawValue>;
    let members: Members<'_> = serde_json::from_str(result.get()).unwrap();
    let entity: Members<'_> = serde_json::from_str(members["evalContext"].get()).unwrap();
    let entity = |name: &str| {
        entity.get(name).map_or_else(String::new, |it| serde_json::from_str(it.get()).unwrap())
    };
    // All but the context, which may hold what no other reader takes.
    let plain = members.iter().filter(|(name, _)| *name != "evalContext");
    let plain: BTreeMap<&str, serde_json::Value> =
        plain.map(|(name, it)| (name.as_str(), serde_json::from_str(it.get()).unwrap())).collect();
    let plain = serde_json::json!(plain);
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let message = text(&plain["evalDebugLog"]["msg"]);
    let reached = message.is_empty();
    let tags =
        plain["flagTags"].as_array().into_iter().flatten().map(|it| text(it).into()).collect();
    let flag = plain.get("flagSnapshotID").map(|snapshot| FlagHead {
        id: FlagId(number(&plain["flagID"])),
        key: text(&plain["flagKey"]).into(),
        snapshot_id: SnapshotId(number(snapshot)),
        entity_type: if reached { entity("entityType").into() } else { "other".into() },
        tags,
        data_records_enabled: plain["dataRecordsEnabled"].as_bool().unwrap_or(false),
    });
    let variant = plain.get("variantKey").map(|key| VariantHead {
        id: VariantId(number(&plain["variantID"])),
        key: text(key).into(),
        attachment: match read_value(members["variantAttachment"], Numbers::AsWritten).unwrap() {
            Value::Object(object) => Some(Arc::new(object)),
            _ => None,
        },
    });
    let segments = plain["evalDebugLog"]["segmentDebugLogs"].as_array().map(|logs| {
        let log = |it: &serde_json::Value| SegmentLog {
            segment_id: SegmentId(number(&it["segmentID"])),
            message: text(&it["msg"]),
        };
        logs.iter().map(log).collect()
    });
    Answer {
        evaluation: Evaluation {
            flag,
            variant_id: VariantId(number(&plain["variantID"])),
            variant,
            segment_id: SegmentId(number(&plain["segmentID"])),
            reason: if reached { Reason::Split } else { Reason::Disabled },
            source: Source::Local,
            freshness: Freshness {
                revision: Revision { epoch: 1, sequence: 7 },
                refreshed_at_ms: 1_799_999_990_500,
                stale: false,
            },
        },
        entity_id: if reached { entity("entityID").into() } else { "unused".into() },
        log: DebugLog { message, segments },
    }
}
