//! Several flags for one context, all by the same rules.

use std::collections::HashMap;

use vexilla_domain::{Batch, Context, Debug, Evaluation, FlagRef, Reason, SelectedBy};

use crate::client::Client;
use crate::paged::Loaded;
use crate::published::Published;
use crate::remote::Held;

impl Client {
    /// Those that are Flagr's to decide are asked for in one request; while Flagr cannot be asked, the rules decide.
    pub(crate) async fn many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        let mut published = self.shared().cell.load_full();
        let is_unknown = |published: &Published, key: &str| {
            let rules = &published.ruleset;
            rules.find(key).is_none() && published.absent(key) != Reason::Filtered
        };
        if keys.iter().any(|key| is_unknown(&published, key.as_ref()))
            && self.look_for_unknown().await
        {
            published = self.shared().cell.load_full();
        }

        let found = keys.iter().filter_map(|key| published.ruleset.find(key.as_ref()));
        let loaded = self.load_bodies(found).await;
        let asked = self.ask_for_keys(keys, ctx, &published, &loaded).await;
        let decide = |key: &str| {
            let flag = published.ruleset.find(key).map(|it| loaded.whole(it));
            self.decide_by(&published, flag, key, ctx, Reason::Fallback).to_owned()
        };
        let answer = |key: &K| match asked.get(key.as_ref()) {
            Some(answer) => answer.clone(),
            None => decide(key.as_ref()),
        };
        keys.iter().map(answer).collect()
    }

    /// What Flagr says of the flags that are its to decide; nothing where it does not answer.
    async fn ask_for_keys<'k, K: AsRef<str>>(
        &self,
        keys: &'k [K],
        ctx: &Context,
        published: &Published,
        loaded: &Loaded,
    ) -> HashMap<&'k str, Evaluation> {
        let mut flagrs: HashMap<&str, Held> = HashMap::new();
        for key in keys.iter().map(AsRef::as_ref) {
            let found = published.ruleset.find(key).map(|it| loaded.whole(it));
            if let Some(flag) = found.filter(|it| self.asks_flagr(it, published)) {
                flagrs.insert(key, Held::of(flag, published));
            }
        }
        if let Some((key, held)) = flagrs.iter().next().filter(|_| flagrs.len() == 1) {
            let flag = FlagRef { id: 0, key };
            let answer = self.ask(flag, *held, ctx, Debug::Off).await;
            return answer.into_iter().map(|it| (*key, it.evaluation)).collect();
        }
        if flagrs.is_empty() {
            return HashMap::new();
        }
        let named: Vec<&str> = flagrs.into_keys().collect();
        let flag_keys: Vec<Box<str>> = named.iter().map(|key| (*key).into()).collect();
        let batch = Batch {
            entities: std::slice::from_ref(ctx),
            flag_keys: &flag_keys,
            ..Batch::default()
        };
        let answers = self.ask_batch(batch, published).await.unwrap_or_default();
        let by_key = answers.into_iter().filter_map(|it| match it.selected_by {
            SelectedBy::Key(at) => Some((*named.get(at)?, it.answer.evaluation)),
            SelectedBy::Id(_) | SelectedBy::Tags => None,
        });
        by_key.collect()
    }
}
