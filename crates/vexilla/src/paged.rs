//! Decisions of flags whose bodies are not in the rules but under a budget of memory (`pages.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use vexilla_domain::{
    Answer, Context, Debug, EvaluationRef, Explanation, Export, FlagId, FlagRef, Reason,
};
use vexilla_eval::{CompiledFlag, Ruleset};

use crate::client::Client;
use crate::config::ExportPolicy;
use crate::published::Published;
use crate::remote::Held;

/// Bodies that one unit of work needs, by flag and content.
#[derive(Debug, Default)]
pub(crate) struct Loaded(HashMap<(FlagId, u64), Arc<CompiledFlag>>);

impl Loaded {
    /// The flag with its body, or what the rules know of it where there is none.
    pub(crate) fn whole<'a>(&'a self, flag: &'a CompiledFlag) -> &'a CompiledFlag {
        if !flag.is_paged() {
            return flag;
        }
        self.0.get(&(flag.head().id, flag.fingerprint())).map_or(flag, |it| it)
    }
}

impl Client {
    /// Loads the bodies of these flags, as far as they are not in the rules.
    pub(crate) async fn load_bodies<'a>(
        &self,
        flags: impl Iterator<Item = &'a CompiledFlag>,
    ) -> Loaded {
        let mut loaded = Loaded::default();
        for flag in flags.filter(|it| it.is_paged()) {
            let key = (flag.head().id, flag.fingerprint());
            if !loaded.0.contains_key(&key)
                && let Some(body) = self.body(flag).await
            {
                loaded.0.insert(key, body);
            }
        }
        loaded
    }

    /// Evaluates a flag whose body may have to be loaded. Where it cannot be, Flagr is asked.
    pub(crate) async fn evaluate_paged<R>(
        &self,
        key: &str,
        ctx: &Context,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        let mut published = self.shared().cell.load_full();
        let mut loaded = self.load_bodies(published.ruleset.find(key).into_iter()).await;
        if published.ruleset.find(key).is_some_and(|it| loaded.whole(it).is_paged()) {
            // Other rules may have come meanwhile, and the archive may have no others any more.
            let now = self.shared().cell.load_full();
            if now.revision != published.revision {
                loaded = self.load_bodies(now.ruleset.find(key).into_iter()).await;
                published = now;
            }
        }
        let found = published.ruleset.find(key);
        let found = found.map(|it| loaded.whole(it));
        if let Some(flag) = found.filter(|it| self.asks_flagr(it, &published)) {
            let asked = FlagRef { id: 0, key };
            if let Ok(answer) = self.ask(asked, Held::of(flag, &published), ctx, Debug::Off).await {
                let Answer { evaluation, .. } = answer;
                return f(evaluation.as_ref());
            }
        }
        f(self.decide_by(&published, found, key, ctx, Reason::Fallback))
    }

    /// Evaluates a flag by the body that is in memory, if it is.
    #[cold]
    #[inline(never)]
    pub(crate) fn decide_held<R>(
        &self,
        published: &Published,
        shell: &CompiledFlag,
        ctx: &Context,
        undecidable: Reason,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        let body = self.held_body(shell);
        let flag = body.as_deref().unwrap_or(shell);
        f(self.decide_by(published, Some(flag), &shell.head().key, ctx, undecidable))
    }

    /// Why a flag of these rules comes out as it does.
    pub(crate) fn explain_flag(
        &self,
        flag: &CompiledFlag,
        published: &Published,
        ctx: &Context,
    ) -> Explanation {
        let mut explanation = Ruleset::explain_flag(flag, ctx);
        explanation.needs = explanation.needs.only(self.shared().needs_flagr);
        explanation.evaluation.freshness = published.freshness();
        explanation
    }

    /// The flags as the archive has them, where they are not in memory, if they are those that are served.
    pub(crate) async fn archived_export(&self) -> Option<Export> {
        if !self.parts().is_paged() || self.config().export != ExportPolicy::Keep {
            return None;
        }
        let archived = self.parts().archive.as_ref()?.load().await.ok()??;
        let freshness = self.shared().cell.load().freshness();
        (archived.revision == freshness.revision)
            .then_some(Export { json: archived.document, freshness })
    }
}
