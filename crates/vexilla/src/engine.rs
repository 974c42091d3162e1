//! A client as servers see it: Flagr's API in terms of the domain.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use vexilla_domain::{
    Answer, Batch, BatchAnswer, BatchTooLarge, Context, Debug, Engine, EvaluationRef, Export,
    FlagRef, Freshness, Reason, SelectedBy,
};
use vexilla_eval::{AnonymousId, CompiledFlag, Ruleset};

use crate::client::Client;
use crate::paged::Loaded;
use crate::published::Published;
use crate::remote::Held;

/// How long the debug logs of a batch may be together, in bytes.
const MAX_LOGS: usize = 32 << 20;

/// After how many answers of a batch others have their turn.
const AT_ONCE: usize = 1_000;

/// How long an answer's debug log is, in bytes.
fn log_length(answer: &Answer) -> usize {
    answer.log.segments.iter().flatten().map(|it| it.message.len()).sum()
}

#[async_trait]
impl Engine for Client {
    async fn evaluate(&self, flag: FlagRef<'_>, context: &Context, debug: Debug) -> Answer {
        {
            let published = self.shared().cell.load();
            let found = published.ruleset.resolve(flag);
            if let Some(found) = found.filter(|it| !it.is_paged())
                && !self.asks_flagr(found, &published)
            {
                return self.answer(&published, Some(found), flag, context, debug);
            }
        }
        // Behind a pointer, since it is rarer and its state is large.
        Box::pin(self.evaluate_with_others(flag, context, debug)).await
    }

    async fn evaluate_batch(
        &self,
        batch: Batch<'_>,
        most: usize,
    ) -> Result<Vec<BatchAnswer>, BatchTooLarge> {
        let published = self.shared().cell.load_full();
        let selected = select(&published.ruleset, &batch);
        let size = batch.entities.len().saturating_mul(selected.len());
        if size > most {
            return Err(BatchTooLarge::Answers { size, most });
        }
        let loaded = self.load_bodies(selected.iter().filter_map(|it| it.2)).await;
        let flagrs = self.ask_for(&batch, &selected, &published, &loaded).await;

        let mut logged = 0;
        let mut answers = Vec::with_capacity(size);
        for (entity, context) in batch.entities.iter().enumerate() {
            for (selected_by, id, flag) in &selected {
                if !answers.is_empty() && answers.len().is_multiple_of(AT_ONCE) {
                    tokio::task::yield_now().await;
                }
                let asked = flag.and_then(|it| flagrs.get(&(entity, it.head().id.0)));
                let answer = match asked {
                    Some(answer) => answer.clone(),
                    None => {
                        let key = match selected_by {
                            SelectedBy::Key(at) => batch.flag_keys.get(*at).map_or("", |it| it),
                            SelectedBy::Id(_) | SelectedBy::Tags => "",
                        };
                        let asked = FlagRef { id: *id, key };
                        let flag = flag.map(|it| loaded.whole(it));
                        self.answer(&published, flag, asked, context, batch.debug)
                    }
                };
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
        let held = {
            let published = self.shared().cell.load();
            let json = published.export.clone();
            json.map(|json| Export { json, freshness: published.freshness() })
        };
        match held {
            Some(held) => Some(held),
            None => self.archived_export().await,
        }
    }

    fn freshness(&self) -> Freshness {
        self.shared().cell.load().freshness()
    }

    fn max_snapshot_id(&self) -> u64 {
        self.shared().cell.load().max_snapshot_id()
    }
}

/// How a flag was selected, the id it was selected by, and the flag.
type Selected<'p> = (SelectedBy, u64, Option<&'p CompiledFlag>);

/// The flags of a batch in Flagr's order.
fn select<'p>(rules: &'p Ruleset, batch: &Batch<'_>) -> Vec<Selected<'p>> {
    let mut selected: Vec<Selected<'p>> = Vec::new();
    if !batch.flag_tags.is_empty() {
        let tagged = rules.tagged(batch.flag_tags, batch.flag_tags_operator);
        selected.extend(tagged.into_iter().map(|flag| (SelectedBy::Tags, 0, Some(flag))));
    }
    let mut seen = HashSet::new();
    for id in batch.flag_ids.iter().filter(|id| seen.insert(**id)) {
        selected.push((SelectedBy::Id(*id), *id, rules.resolve(FlagRef { id: *id, key: "" })));
    }
    let mut seen = HashSet::new();
    for (at, key) in batch.flag_keys.iter().enumerate().filter(|(_, key)| seen.insert(&***key)) {
        selected.push((SelectedBy::Key(at), 0, rules.find(key)));
    }
    selected
}

impl Client {
    /// One evaluation that needs somebody else: Flagr, the archive, or a look for changes.
    async fn evaluate_with_others(
        &self,
        flag: FlagRef<'_>,
        context: &Context,
        debug: Debug,
    ) -> Answer {
        let mut published = self.shared().cell.load_full();
        if published.ruleset.resolve(flag).is_none() && self.look_for_unknown().await {
            published = self.shared().cell.load_full();
        }
        let found = published.ruleset.resolve(flag);
        let loaded = self.load_bodies(found.into_iter()).await;
        let found = found.map(|it| loaded.whole(it));
        if let Some(found) = found.filter(|it| self.asks_flagr(it, &published)) {
            let held = Held::of(found, &published);
            if let Ok(answer) = self.ask(flag, held, context, debug).await {
                return answer;
            }
        }
        self.answer(&published, found, flag, context, debug)
    }

    /// Asks Flagr for the flags of a batch that are its to decide, by their ids: for all entities, in one request as far
    /// as Flagr takes it. Nothing where it does not answer.
    async fn ask_for(
        &self,
        batch: &Batch<'_>,
        selected: &[Selected<'_>],
        published: &Arc<Published>,
        loaded: &Loaded,
    ) -> HashMap<(usize, u64), Answer> {
        let flagrs = selected
            .iter()
            .filter_map(|it| it.2)
            .filter(|it| self.asks_flagr(loaded.whole(it), published));
        let ids: HashSet<u64> =
            flagrs.filter(|it| published.ruleset.shows(it)).map(|it| it.head().id.0).collect();
        let ids: Vec<u64> = ids.into_iter().filter(|it| *it != 0).collect();
        if ids.is_empty() {
            return HashMap::new();
        }
        let asked = Batch {
            entities: batch.entities,
            flag_ids: &ids,
            debug: batch.debug,
            ..Batch::default()
        };
        let answers = self.ask_batch(asked, published).await.unwrap_or_default();
        let by_id = answers.into_iter().filter_map(|it| match it.selected_by {
            SelectedBy::Id(id) => Some(((it.entity, id), it.answer)),
            SelectedBy::Key(_) | SelectedBy::Tags => None,
        });
        by_id.collect()
    }

    /// One evaluation without Flagr, as Flagr's API gives it.
    fn answer(
        &self,
        published: &Published,
        flag: Option<&CompiledFlag>,
        asked: FlagRef<'_>,
        context: &Context,
        debug: Debug,
    ) -> Answer {
        let anonymous = context.entity_id().is_empty().then(AnonymousId::random);
        let entity_id = anonymous.as_ref().map_or(context.entity_id(), AnonymousId::as_str);
        let (mut evaluation, log) =
            Ruleset::evaluate_logged(flag, asked.id, entity_id, context, debug);
        if let Some(flag) = flag.filter(|it| self.is_flagrs(it)) {
            let decided: EvaluationRef<'_> = evaluation;
            evaluation = self.stand_in_with(flag, Reason::Fallback, || decided);
        }
        let key = flag.map_or(asked.key, |it| &it.head().key);
        self.finish(&mut evaluation, published, flag, key, context);
        if let Some(flag) = flag {
            self.have_recorded(flag, entity_id, context, &evaluation);
        }
        Answer { evaluation: evaluation.to_owned(), entity_id: entity_id.into(), log }
    }
}
