//! A source that does what a test says.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vexilla::{Client, Config, Parts};
use vexilla_domain::json::read_flags;
use vexilla_domain::{
    Clock, Depth, Fetch, FlagRef, FlagSource, FlagState, Marker, RemoteEvaluator, SourceError,
    SourceErrorKind, Strictness,
};

/// A source with a script, and a clock that a test sets.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Mutex<Script>,
    pub(crate) fetches: AtomicU64,
    pub(crate) full_fetches: AtomicU64,
    pub(crate) singles: AtomicU64,
    strictness: Strictness,
    millis: AtomicU64,
    start: Instant,
    /// What [`Answer::Wait`] waits for.
    pub(crate) gate: Semaphore,
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Answer>,
    last: Option<Answer>,
    flags: HashMap<u64, FlagState>,
}

/// What the source does when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Flags(String),
    /// Flags up to this change of the source, and when to ask again.
    Numbered(u64, String, Option<Duration>),
    /// Flags up to this change, for who has none; the others are told that nothing changed.
    Same(u64, String),
    Unchanged,
    Fails,
    /// Waits at the gate, then says that nothing changed.
    Wait,
}

impl Scripted {
    pub(crate) fn new(strictness: Strictness) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::default(),
            fetches: AtomicU64::new(0),
            full_fetches: AtomicU64::new(0),
            singles: AtomicU64::new(0),
            strictness,
            millis: AtomicU64::new(1_000_000),
            start: now(),
            gate: Semaphore::new(0),
        })
    }

    /// What comes next. The last of all answers is given again and again.
    pub(crate) fn then(&self, answer: Answer) {
        self.script().next.push_back(answer);
    }

    pub(crate) fn then_flags(&self, flags: &[&str]) {
        self.then(Answer::Flags(format!("[{}]", flags.join(","))));
    }

    pub(crate) fn then_numbered(&self, number: u64, flags: &[&str]) {
        self.then(Answer::Numbered(number, format!("[{}]", flags.join(",")), None));
    }

    /// The same, with a change still to come.
    pub(crate) fn then_behind(&self, number: u64, flags: &[&str], again_in: Duration) {
        self.then(Answer::Numbered(number, format!("[{}]", flags.join(",")), Some(again_in)));
    }

    /// What the source says of one flag from now on.
    pub(crate) fn knows(&self, id: u64, state: FlagState) {
        self.script().flags.insert(id, state);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.millis.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// A client of this source that refreshes only when it is told to.
    pub(crate) async fn client(self: &Arc<Self>, config: Config) -> Client {
        Client::new(self.parts(), config).await.unwrap()
    }

    /// The same with somebody to ask for what is not to be decided here.
    pub(crate) async fn client_of(
        self: &Arc<Self>,
        remote: Arc<dyn RemoteEvaluator>,
        config: Config,
    ) -> Client {
        Client::new(self.parts().with_remote(remote), config).await.unwrap()
    }

    pub(crate) fn parts(self: &Arc<Self>) -> Parts {
        let parts = Parts::new(Arc::clone(self) as Arc<dyn FlagSource>);
        parts.with_clock(Arc::clone(self) as Arc<dyn Clock>)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

#[async_trait]
impl FlagSource for Scripted {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        if depth != Depth::Probe {
            self.full_fetches.fetch_add(1, Ordering::Relaxed);
        }
        let answer = {
            let mut script = self.script();
            if let Some(next) = script.next.pop_front() {
                script.last = Some(next);
            }
            script.last.clone()
        };
        match answer {
            Some(Answer::Flags(text)) => {
                let document = read_flags(text.as_bytes()).unwrap();
                let marker =
                    Marker { max_snapshot_id: None, content: self.fetches.load(Ordering::Relaxed) };
                Ok(Fetch { changed: Some(document), marker, again_in: None })
            }
            Some(Answer::Numbered(number, text, again_in)) => {
                let content = BuildHasherDefault::<DefaultHasher>::default().hash_one(&text);
                let marker = Marker { max_snapshot_id: Some(number), content };
                let document = read_flags(text.as_bytes()).unwrap();
                Ok(Fetch { changed: Some(document), marker, again_in })
            }
            Some(Answer::Same(number, text)) if seen.is_none() || depth == Depth::Anew => {
                let marker = Marker { max_snapshot_id: Some(number), content: number };
                let document = read_flags(text.as_bytes()).unwrap();
                Ok(Fetch { changed: Some(document), marker, again_in: None })
            }
            Some(Answer::Unchanged | Answer::Same(..)) => Ok(unchanged(seen)),
            Some(Answer::Wait) => {
                self.gate.acquire().await.unwrap().forget();
                Ok(unchanged(seen))
            }
            Some(Answer::Fails) | None => {
                Err(SourceError::new(SourceErrorKind::Unavailable, "the script says so")
                    .with_source("a cause"))
            }
        }
    }

    async fn fetch_flag(&self, flag: FlagRef<'_>) -> Result<FlagState, SourceError> {
        self.singles.fetch_add(1, Ordering::Relaxed);
        Ok(self.script().flags.get(&flag.id).cloned().unwrap_or(FlagState::Unknown))
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }

    fn strictness(&self) -> Strictness {
        self.strictness
    }
}

impl Clock for Scripted {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

/// Where the clock begins; a test sets it from there.
fn now() -> Instant {
    vexilla::SystemClock.instant()
}

fn unchanged(seen: Option<&Marker>) -> Fetch {
    Fetch { changed: None, marker: seen.cloned().unwrap_or_default(), again_in: None }
}

/// A flag that is on for everybody whom the constraints let in.
pub(crate) fn flag(id: u64, key: &str, constraints: &str) -> String {
    format!(
        r#"{{"ID":{id},"Key":"{key}","Enabled":true,"Variants":[{{"ID":{id},"Key":"on","Attachment":{{}}}}],
            "Segments":[{{"ID":{id},"RolloutPercent":100,"Constraints":[{constraints}],
                "Distributions":[{{"VariantKey":"on","Percent":100}}]}}]}}"#
    )
}

/// A constraint.
pub(crate) fn constraint(property: &str, operator: &str, value: &str) -> String {
    serde_json::json!({"Property": property, "Operator": operator, "Value": value}).to_string()
}
