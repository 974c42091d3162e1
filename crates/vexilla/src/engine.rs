//! A client as servers see it: Flagr's API in terms of the domain.

use std::collections::HashSet;

use async_trait::async_trait;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Context, Debug, Engine, Export, FlagRef, SelectedBy,
};
use vexilla_eval::{AnonymousId, CompiledFlag, Ruleset};

use crate::client::Client;
use crate::published::Published;

/// How long the debug logs of a batch may be together, in bytes.
const MAX_LOGS: usize = 32 << 20;

/// How long an answer's debug log is, in bytes.
fn log_length(answer: &Answer) -> usize {
    answer.log.segments.iter().flatten().map(|it| it.message.len()).sum()
}

#[async_trait]
impl Engine for Client {
    async fn evaluate(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer {
        let published = self.shared().cell.load();
        self.answer(&published, published.ruleset.resolve(flag), flag.id, context, debug)
    }

    async fn evaluate_batch(
        &self,
        batch: Batch<'_>,
        most: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge> {
        let published = self.shared().cell.load();
        let rules = &published.ruleset;

        let mut selected: Vec<(SelectedBy, u64, Option<&CompiledFlag>)> = Vec::new();
        if !batch.flag_tags.is_empty() {
            let tagged = rules.tagged(batch.flag_tags, batch.flag_tags_operator);
            selected.extend(tagged.into_iter().map(|flag| (SelectedBy::Tags, 0, Some(flag))));
        }
        let mut seen = HashSet::new();
        for id in batch.flag_ids.iter().filter(|id| seen.insert(**id)) {
            selected.push((SelectedBy::Id(*id), *id, rules.resolve(FlagRef { id: *id, key: "" })));
        }
        let mut seen = HashSet::new();
        for (at, key) in batch.flag_keys.iter().enumerate().filter(|(_, key)| seen.insert(&***key))
        {
            selected.push((SelectedBy::Key(at), 0, rules.find(key)));
        }

        let size = batch.entities.len().saturating_mul(selected.len());
        if size > most {
            return Err(BatchTooLarge::Answers { size, most });
        }
        let mut logged = 0;
        let mut answers = Vec::with_capacity(size);
        for (entity, context) in batch.entities.iter().enumerate() {
            for (selected_by, id, flag) in &selected {
                let answer = self.answer(&published, *flag, *id, context, batch.debug);
                logged += log_length(&answer);
                if logged > MAX_LOGS {
                    return Err(BatchTooLarge::Logs { most: MAX_LOGS });
                }
                answers.push(BatchAnswer { entity, selected_by: *selected_by, answer });
            }
        }
        Ok(answers)
    }

    async fn export(&self) -> Option<Export> {
        let published = self.shared().cell.load();
        let json = published.export.clone()?;
        Some(Export { json, freshness: published.freshness() })
    }
}

impl Client {
    /// One evaluation as Flagr's API gives it.
    fn answer(
        &self,
        published: &Published,
        flag: Option<&CompiledFlag>,
        requested_id: u64,
        context: &Context,
        debug: Debug,
    ) -> Answer {
        let anonymous = context.entity_id().is_empty().then(AnonymousId::random);
        let entity_id = anonymous.as_ref().map_or(context.entity_id(), AnonymousId::as_str);
        let (mut evaluation, log) =
            Ruleset::evaluate_logged(flag, requested_id, entity_id, context, debug);
        self.finish(&mut evaluation, published);
        Answer { evaluation: evaluation.to_owned(), entity_id: entity_id.into(), log }
    }
}
