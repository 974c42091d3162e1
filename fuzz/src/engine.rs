//! An engine for the router: it answers from a few rules, and its clock stands still.

use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Clock, Context, Debug, Engine, Export, FlagRef,
    Freshness, SelectedBy,
};
use vexilla_eval::{AnonymousId, Ruleset};

/// Decides by these rules.
#[derive(Debug)]
pub(crate) struct RulesEngine(pub(crate) Ruleset);

impl RulesEngine {
    fn answer(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer {
        let anonymous = AnonymousId::random();
        let entity =
            if context.entity_id().is_empty() { anonymous.as_str() } else { context.entity_id() };
        let (evaluation, log) =
            Ruleset::evaluate_logged(self.0.resolve(flag), flag.id, entity, context, debug);
        Answer { evaluation: evaluation.to_owned(), entity_id: entity.into(), log }
    }
}

#[async_trait]
impl Engine for RulesEngine {
    async fn evaluate(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer {
        self.answer(flag, context, debug)
    }

    async fn evaluate_batch(
        &self,
        batch: Batch<'_>,
        most: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge> {
        let tagged = self.0.tagged(batch.flag_tags, batch.flag_tags_operator);
        let tagged =
            tagged.iter().map(|it| (SelectedBy::Tags, FlagRef { id: it.head().id.0, key: "" }));
        let ids =
            batch.flag_ids.iter().map(|id| (SelectedBy::Id(*id), FlagRef { id: *id, key: "" }));
        let keys = batch.flag_keys.iter().enumerate();
        let keys = keys.map(|(at, key)| (SelectedBy::Key(at), FlagRef { id: 0, key }));
        let selected: Vec<_> = tagged.chain(ids).chain(keys).collect();
        let size = batch.entities.len() * selected.len();
        if most < size {
            return Err(BatchTooLarge::Answers { size, most });
        }
        let entities = batch.entities.iter().enumerate();
        Ok(entities
            .flat_map(|(entity, context)| {
                selected.iter().map(move |(selected_by, flag)| BatchAnswer {
                    entity,
                    selected_by: *selected_by,
                    answer: self.answer(*flag, context, batch.debug),
                })
            })
            .collect())
    }

    async fn export(&self) -> Option<Export> {
        Some(Export {
            json: b"{\"Flags\":[]}\n".as_slice().into(),
            freshness: Freshness::default(),
        })
    }

    fn freshness(&self) -> Freshness {
        Freshness::default()
    }

    fn max_snapshot_id(&self) -> u64 {
        0
    }
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct StoppedClock(pub(crate) Instant);

impl Clock for StoppedClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        self.0
    }
}
