//! A source that does what a test says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vexilla::{Client, Config, Parts};
use vexilla_domain::json::read_flags;
use vexilla_domain::{
    Clock, Fetch, Fetched, FlagSource, Marker, SourceError, SourceErrorKind, Strictness,
};

/// A source with a script, and a clock that a test sets.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Mutex<Script>,
    pub(crate) fetches: AtomicU64,
    strictness: Strictness,
    millis: AtomicU64,
    /// What [`Answer::Wait`] waits for.
    pub(crate) gate: Semaphore,
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Answer>,
    last: Option<Answer>,
}

/// What the source does when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Flags(String),
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
            strictness,
            millis: AtomicU64::new(1_000_000),
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

    pub(crate) fn advance(&self, by: Duration) {
        self.millis.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// A client of this source that refreshes only when it is told to.
    pub(crate) async fn client(self: &Arc<Self>, config: Config) -> Client {
        let parts = Parts::new(Arc::clone(self) as Arc<dyn FlagSource>);
        Client::new(parts.with_clock(Arc::clone(self) as Arc<dyn Clock>), config).await.unwrap()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

#[async_trait]
impl FlagSource for Scripted {
    async fn fetch(&self, seen: Option<&Marker>) -> Result<Fetch, SourceError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
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
                Ok(Fetch::Changed(Fetched {
                    flags: document.flags,
                    problems: document.problems,
                    marker,
                }))
            }
            Some(Answer::Unchanged) => Ok(Fetch::Unchanged(seen.cloned().unwrap_or_default())),
            Some(Answer::Wait) => {
                self.gate.acquire().await.unwrap().forget();
                Ok(Fetch::Unchanged(seen.cloned().unwrap_or_default()))
            }
            Some(Answer::Fails) | None => {
                Err(SourceError::new(SourceErrorKind::Unavailable, "the script says so")
                    .with_source("a cause"))
            }
        }
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
