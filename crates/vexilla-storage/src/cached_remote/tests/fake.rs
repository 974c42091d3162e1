//! A Flagr that answers by what it is asked, counts, fails and waits as it is told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Context, Debug, DebugLog, Evaluation, FlagHead, FlagId, FlagRef,
    Freshness, Reason, RemoteCall, RemoteError, RemoteErrorKind, RemoteEvaluator, SegmentId,
    SnapshotId, Source, VariantHead, VariantId,
};

/// A call to keep.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) flag_id: u64,
    pub(crate) flag_key: &'static str,
    pub(crate) id: u64,
    pub(crate) snapshot_id: u64,
    pub(crate) data_records_enabled: bool,
    pub(crate) context: Context,
    pub(crate) debug: Debug,
}

impl Call {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            flag_id: 0,
            flag_key: "dark-mode",
            id: 7,
            snapshot_id: 70,
            data_records_enabled: false,
            context,
            debug: Debug::Off,
        }
    }

    pub(crate) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut call = self.clone();
        change(&mut call);
        call
    }

    pub(crate) fn lend(&self) -> RemoteCall<'_> {
        RemoteCall {
            flag: FlagRef { id: self.flag_id, key: self.flag_key },
            id: FlagId(self.id),
            snapshot_id: SnapshotId(self.snapshot_id),
            data_records_enabled: self.data_records_enabled,
            context: &self.context,
            debug: self.debug,
        }
    }
}

/// What Flagr says to this: another thing for any other question.
pub(crate) fn variant(call: RemoteCall<'_>) -> String {
    format!("{call:?}")
}

#[derive(Debug)]
pub(crate) struct Fake {
    asked: AtomicUsize,
    batches: AtomicUsize,
    fails: Mutex<Option<RemoteErrorKind>>,
    panics: AtomicBool,
    /// What Flagr says of the flag, whatever the caller knows.
    records: AtomicBool,
    /// By how many snapshots it lags behind what callers know.
    pub(crate) behind: AtomicU64,
    /// Each question takes one.
    gate: Semaphore,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            asked: AtomicUsize::new(0),
            batches: AtomicUsize::new(0),
            fails: Mutex::new(None),
            panics: AtomicBool::new(false),
            records: AtomicBool::new(false),
            behind: AtomicU64::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        }
    }
}

impl Fake {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn batches(&self) -> usize {
        self.batches.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, kind: RemoteErrorKind) {
        *self.fails.lock().unwrap() = Some(kind);
    }

    pub(crate) fn recover(&self) {
        *self.fails.lock().unwrap() = None;
        self.panics.store(false, Ordering::SeqCst);
    }

    pub(crate) fn panic(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    pub(crate) fn record(&self) {
        self.records.store(true, Ordering::SeqCst);
    }

    /// From now on questions wait.
    pub(crate) fn hold(&self) {
        self.gate.forget_permits(usize::MAX);
    }

    /// Lets so many questions go on.
    pub(crate) fn release(&self, many: usize) {
        self.gate.add_permits(many);
    }

    /// Waits until it was asked so often.
    pub(crate) async fn is_asked(&self, often: usize) {
        while self.asked() < often {
            yield_now().await;
        }
    }
}

#[async_trait]
impl RemoteEvaluator for Fake {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants it");
        if let Some(kind) = *self.fails.lock().unwrap() {
            return Err(RemoteError::new(kind, "flagr is not well").with_source("the cause"));
        }
        let flag = FlagHead {
            id: call.id,
            key: call.flag.key.into(),
            snapshot_id: SnapshotId(call.snapshot_id.0 - self.behind.load(Ordering::SeqCst)),
            data_records_enabled: call.data_records_enabled || self.records.load(Ordering::SeqCst),
            ..FlagHead::default()
        };
        let variant = VariantHead { id: VariantId(1), key: variant(call).into(), attachment: None };
        let evaluation = Evaluation {
            flag: Some(flag),
            variant: Some(variant),
            variant_id: VariantId(1),
            segment_id: SegmentId(1),
            reason: Reason::TargetingMatch,
            source: Source::Remote,
            freshness: Freshness::default(),
        };
        let entity_id = call.context.entity_id().into();
        Ok(Answer { evaluation, entity_id, log: DebugLog::default() })
    }

    async fn evaluate_batch(&self, _: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
}
