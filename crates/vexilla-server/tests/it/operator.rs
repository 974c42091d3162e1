//! An operator that does what a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};
use vexilla_domain::{
    ArchiveLayer, CacheCounts, ConstraintTrace, Context, EvaluationRef, Explanation, FlagHead,
    FlagId, FlagName, FlagSummary, Freshness, Needs, Object, Operator, RangeTrace, Readiness,
    Reason, Revision, RolloutTrace, SegmentId, SegmentTrace, SnapshotId, Source, SourceError,
    SourceErrorKind, Stats, Strategy, VariantHead, VariantId, Verdict,
};

use crate::fake::FakeClock;

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
pub(crate) struct FakeOperator {
    /// What was asked, but for reading.
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) notified: Mutex<Vec<Vec<FlagName>>>,
    pub(crate) not_ready: Mutex<Vec<Box<str>>>,
    pub(crate) fails: Mutex<bool>,
    /// What the cache of Flagr's answers counts, and that of rules under a budget.
    pub(crate) kept: Mutex<[Option<CacheCounts>; 2]>,
    /// Refreshes wait for one of these each.
    pub(crate) go_on: Semaphore,
    pub(crate) started: Semaphore,
}

impl Default for FakeOperator {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
            notified: Mutex::default(),
            not_ready: Mutex::default(),
            fails: Mutex::default(),
            kept: Mutex::default(),
            go_on: Semaphore::new(1_000),
            started: Semaphore::new(0),
        }
    }
}

impl FakeOperator {
    async fn refreshed(&self, what: String) -> Result<Freshness, SourceError> {
        self.asked.lock().unwrap().push(what);
        self.started.add_permits(1);
        self.go_on.acquire().await.unwrap().forget();
        if *self.fails.lock().unwrap() {
            let error =
                SourceError::new(SourceErrorKind::Unavailable, "GET /flags: cannot connect");
            return Err(error.with_source("connection refused"));
        }
        Ok(freshness())
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What was notified as `id:key`, one text for each call; `everything` for none.
    pub(crate) fn notified(&self) -> Vec<String> {
        let calls = self.notified.lock().unwrap();
        let text = |flags: &Vec<FlagName>| match &flags[..] {
            [] => "everything".to_owned(),
            flags => {
                let names = flags.iter().map(|it| format!("{}:{}", it.id, it.key));
                names.collect::<Vec<_>>().join(" ")
            }
        };
        calls.iter().map(text).collect()
    }
}

fn freshness() -> Freshness {
    let revision = Revision { epoch: 1, sequence: 7 };
    Freshness { revision, refreshed_at_ms: (NOW - 9) * 1000 - 500, stale: false }
}

fn served(key: &str) -> bool {
    key == "checkout" || key == "a/b c"
}

#[async_trait]
impl Operator for FakeOperator {
    fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        stats.source = "Flagr at http://flagr:18000".into();
        stats.flags = 2;
        stats.revision = freshness().revision;
        stats.refreshed_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW - 9));
        stats.age = Some(Duration::from_millis(9_500));
        stats.breaker = Some("closed".into());
        stats.leads = Some(true);
        let mut redis = ArchiveLayer::new("redis 127.0.0.1:6379/0");
        redis.leads = Some(true);
        let mut disk = ArchiveLayer::new("/var/cache/vexilla");
        disk.error = Some("the disk is full".into());
        stats.archives = vec![redis, disk];
        [stats.remote_cache, stats.bodies] = *self.kept.lock().unwrap();
        stats.evaluations =
            vec![(Source::Local, Reason::Split, 5), (Source::Fallback, Reason::Fallback, 2)];
        stats
    }

    fn readiness(&self) -> Readiness {
        Readiness { reasons: self.not_ready.lock().unwrap().clone() }
    }

    fn flags(&self) -> Vec<FlagSummary> {
        vec![FlagSummary {
            id: FlagId(1),
            key: "checkout".into(),
            enabled: true,
            snapshot_id: SnapshotId(12),
            tags: Arc::new(["shop".into()]),
            strategy: Strategy::Remote,
            data_records_enabled: false,
            quarantined: false,
        }]
    }

    fn definition(&self, key: &str) -> Option<Vec<u8>> {
        served(key).then(|| format!("{{\"ID\":1,\"Key\":\"{key}\"}}").into_bytes())
    }

    fn explain(&self, key: &str, context: &Context) -> Option<Explanation> {
        assert!(key != "panic", "on demand");
        self.asked.lock().unwrap().push(format!("explain {key} {context:?}"));
        let flag = FlagHead { id: FlagId(1), key: key.into(), ..FlagHead::default() };
        let mut attachment = Object::new();
        attachment.insert("colour", "blue".into());
        let variant = VariantHead {
            id: VariantId(2),
            key: "on".into(),
            attachment: Some(Arc::new(attachment)),
        };
        let mut evaluation = EvaluationRef::blank(Some(&flag), Reason::Split);
        (evaluation.variant, evaluation.variant_id) = (Some(&variant), variant.id);
        let trace = |verdict, outcome, rollout| SegmentTrace {
            segment_id: SegmentId(3),
            verdict,
            constraints: vec![ConstraintTrace { text: "(a == 1)".to_owned(), outcome }],
            rollout,
        };
        let rollout = RolloutTrace {
            percent: 50,
            ranges: vec![RangeTrace { variant: "on".into(), start: 0, cut: 500, end: 1000 }],
            outcome: "bucket 7 is in".to_owned(),
        };
        served(key).then(|| Explanation {
            evaluation: evaluation.to_owned(),
            needs: Needs::NOTHING,
            entity_id: context.entity_id().into(),
            bucket: Some(7),
            segments: vec![
                trace(Verdict::NotMatched, Ok(false), None),
                trace(Verdict::Failed("no `a`".to_owned()), Err("no `a`".to_owned()), None),
                trace(Verdict::NoContext, Ok(false), None),
                trace(Verdict::Matched, Ok(true), Some(rollout)),
            ],
        })
    }

    async fn refresh(&self) -> Result<Freshness, SourceError> {
        self.refreshed("refresh".to_owned()).await
    }

    async fn reread(&self, flags: &[FlagName]) -> Result<Freshness, SourceError> {
        self.refreshed(format!("reread {flags:?}")).await
    }

    async fn reread_all(&self) -> Result<Freshness, SourceError> {
        self.refreshed("reread all".to_owned()).await
    }

    fn notify(&self, flags: &[FlagName]) {
        self.notified.lock().unwrap().push(flags.to_vec());
    }

    async fn source_health(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// A clock that stands at [`NOW`].
pub(crate) fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))))
}

/// What came back: the status, the headers, and JSON.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: serde_json::Value,
}

/// Asks a service in process. Headers are pairs of name and value.
pub(crate) async fn ask<S>(
    service: S,
    route: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answered
where
    S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>>,
    S::Error: std::fmt::Debug,
{
    let (method, path) = route.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
    Answered { status: head.status.as_u16(), headers: head.headers, body }
}
