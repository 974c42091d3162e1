//! A Flagr that is asked for evaluations: it decides by rules of its own, or does what a test says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vexilla::{Context, Source};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Debug, DebugLog, FlagRef, RemoteCall, RemoteError, RemoteErrorKind,
    RemoteEvaluator, SelectedBy,
};
use vexilla_eval::Ruleset;

#[derive(Debug)]
pub(crate) struct Remote {
    rules: Ruleset,
    pub(crate) mood: Mutex<Mood>,
    /// Requests for one evaluation, and for a batch.
    pub(crate) singles: AtomicU64,
    pub(crate) batches: AtomicU64,
    /// What [`Mood::Waits`] waits for.
    pub(crate) gate: Semaphore,
}

/// What it does when it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mood {
    Answers,
    Fails(RemoteErrorKind),
    Waits,
}

impl Remote {
    pub(crate) fn new(flags: &[&str]) -> Arc<Self> {
        let document = format!("[{}]", flags.join(","));
        Arc::new(Self {
            rules: Ruleset::from_json(document.as_bytes()).unwrap().ruleset,
            mood: Mutex::new(Mood::Answers),
            singles: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            gate: Semaphore::new(0),
        })
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was asked for one evaluation, and for a batch.
    pub(crate) fn asked(&self) -> (u64, u64) {
        (self.singles.load(Ordering::Relaxed), self.batches.load(Ordering::Relaxed))
    }

    async fn consult(&self) -> Result<(), RemoteError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => Ok(()),
            Mood::Fails(kind) => Err(RemoteError::new(kind, "the script says so")),
            Mood::Waits => {
                self.gate.acquire().await.unwrap().forget();
                Ok(())
            }
        }
    }

    fn answer(&self, flag: FlagRef<'_>, context: &Context) -> Answer {
        let found = self.rules.resolve(flag);
        let entity = context.entity_id();
        let (evaluation, _) = Ruleset::evaluate_logged(found, flag.id, entity, context, Debug::Off);
        let mut evaluation = evaluation.to_owned();
        evaluation.source = Source::Remote;
        Answer { evaluation, entity_id: entity.into(), log: DebugLog::default() }
    }
}

#[async_trait]
impl RemoteEvaluator for Remote {
    async fn evaluate(&self, call: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        self.singles.fetch_add(1, Ordering::Relaxed);
        self.consult().await?;
        Ok(self.answer(call.flag, call.context))
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.consult().await?;
        let ids =
            batch.flag_ids.iter().map(|id| (SelectedBy::Id(*id), FlagRef { id: *id, key: "" }));
        let keys = batch.flag_keys.iter().enumerate();
        let keys = keys.map(|(at, key)| (SelectedBy::Key(at), FlagRef { id: 0, key }));
        let selected: Vec<_> = ids.chain(keys).collect();
        let entities = batch.entities.iter().enumerate();
        let answers = entities.flat_map(|(entity, context)| {
            selected.iter().map(move |(selected_by, flag)| BatchAnswer {
                entity,
                selected_by: *selected_by,
                answer: self.answer(*flag, context),
            })
        });
        Ok(answers.collect())
    }
}
