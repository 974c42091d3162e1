//! Decisions by the rules held here, and looks for changes before them.

use tokio::time::timeout;
use vexilla_domain::{Context, Evaluation, EvaluationRef, Reason, Source};
use vexilla_eval::{CompiledFlag, Ruleset};

use crate::client::Client;
use crate::config::Fallback;
use crate::error::Undecided;
use crate::misses::Turn;
use crate::published::Published;
use crate::remote::Held;
use crate::requests::Wish;
use crate::watch::Evaluated;

/// An evaluation that was begun: done, or for somebody else to do.
pub(crate) enum Begun<R, F> {
    Done(R),
    /// Flagr is to decide.
    Flagrs(Held, F),
    /// What it is made of is not in the rules.
    Paged(F),
    /// There is no such flag in the rules.
    Absent(F),
}

impl Client {
    /// Looks for changes before a decision that is to be sure. Whatever comes of it, the decision follows.
    pub(crate) async fn look_before_deciding(&self) {
        let _ = timeout(self.config().strict_timeout, self.refresh()).await;
    }

    /// Looks for changes because of an unknown key, at most once in an interval; others wait with the one who does. Gives
    /// whether there was a look.
    pub(crate) async fn look_for_unknown(&self) -> bool {
        let limit = self.config().miss_timeout;
        match self.shared().misses.turn(self.parts().clock.instant()) {
            Turn::Pass => return false,
            Turn::Look(looking) => {
                let _ = timeout(limit, self.wish(Wish::Glance)).await;
                drop(looking);
            }
            Turn::Join(mut ended) => {
                let _ = timeout(limit, ended.changed()).await;
            }
        }
        true
    }

    /// Decides the flag if that can be done here and now.
    #[inline]
    pub(crate) fn begin<R, F: FnOnce(EvaluationRef<'_>) -> R>(
        &self,
        key: &str,
        ctx: &Context,
        f: F,
    ) -> Begun<R, F> {
        let published = self.shared().cell.load();
        match published.ruleset.find(key) {
            Some(flag) if self.asks_flagr(flag, &published) => {
                if flag.is_paged() {
                    return Begun::Paged(f);
                }
                Begun::Flagrs(Held::of(flag, &published), f)
            }
            Some(flag) => Begun::Done(f(self.decide_here(&published, flag, key, ctx))),
            None if published.absent(key) == Reason::Filtered => {
                Begun::Done(f(self.decide_by(&published, None, key, ctx, Reason::Fallback)))
            }
            None => Begun::Absent(f),
        }
    }

    /// Whether Flagr is asked for a flag: it is its to decide, or the rules are too old, and there is one to ask.
    #[inline]
    pub(crate) fn asks_flagr(&self, flag: &CompiledFlag, published: &Published) -> bool {
        let needs_flagr = self.shared().needs_flagr;
        flag.needs().any_of(needs_flagr) || (published.is_expired() && !needs_flagr.is_nothing())
    }

    /// One evaluation without Flagr. `undecidable` is the reason where only Flagr could decide.
    #[inline]
    pub(crate) fn decide<R>(
        &self,
        key: &str,
        ctx: &Context,
        undecidable: Reason,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        let published = self.shared().cell.load();
        let flag = published.ruleset.find(key);
        self.decide_with(&published, flag, key, ctx, undecidable, f)
    }

    /// Several evaluations by the same rules, without Flagr.
    pub(crate) fn decide_many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        let published = self.shared().cell.load();
        let decide = |key: &str| {
            let flag = published.ruleset.find(key);
            self.decide_with(&published, flag, key, ctx, Reason::NeedsRemote, |it| it.to_owned())
        };
        keys.iter().map(|key| decide(key.as_ref())).collect()
    }

    /// Evaluates a flag of these rules, if there is one, without Flagr and without waiting, and lends the result.
    #[inline]
    pub(crate) fn decide_with<R>(
        &self,
        published: &Published,
        flag: Option<&CompiledFlag>,
        key: &str,
        ctx: &Context,
        undecidable: Reason,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        match flag {
            Some(shell) if shell.is_paged() => {
                self.decide_held(published, shell, ctx, undecidable, f)
            }
            flag => f(self.decide_by(published, flag, key, ctx, undecidable)),
        }
    }

    /// Evaluates a flag of these rules, if there is one, without Flagr.
    #[expect(
        clippy::inline_always,
        reason = "measured: a call would copy the evaluation once more"
    )]
    #[inline(always)]
    pub(crate) fn decide_by<'p>(
        &self,
        published: &'p Published,
        flag: Option<&'p CompiledFlag>,
        key: &str,
        ctx: &Context,
        undecidable: Reason,
    ) -> EvaluationRef<'p> {
        match flag {
            Some(flag) if self.is_flagrs(flag) => {
                let mut evaluation = self.stand_in(flag, ctx, undecidable);
                self.finish(&mut evaluation, published, Some(flag), key, ctx);
                self.have_recorded(flag, ctx.entity_id(), ctx, &evaluation);
                evaluation
            }
            Some(flag) => self.decide_here(published, flag, key, ctx),
            None => {
                let mut evaluation = EvaluationRef::blank(None, published.absent(key));
                self.finish(&mut evaluation, published, None, key, ctx);
                evaluation
            }
        }
    }

    #[expect(clippy::inline_always, reason = "as for `decide_by`")]
    #[inline(always)]
    fn decide_here<'p>(
        &self,
        published: &'p Published,
        flag: &'p CompiledFlag,
        key: &str,
        ctx: &Context,
    ) -> EvaluationRef<'p> {
        let mut evaluation = Ruleset::evaluate_flag(flag, ctx);
        self.finish(&mut evaluation, published, Some(flag), key, ctx);
        self.have_recorded(flag, ctx.entity_id(), ctx, &evaluation);
        evaluation
    }

    /// Says how fresh the rules were, counts, and tells who wants to know. Rules that are too old do not decide.
    #[inline]
    pub(crate) fn finish(
        &self,
        evaluation: &mut EvaluationRef<'_>,
        published: &Published,
        flag: Option<&CompiledFlag>,
        key: &str,
        context: &Context,
    ) {
        if published.is_expired() {
            *evaluation = EvaluationRef::blank(evaluation.flag, Reason::Fallback);
        }
        if evaluation.reason == Reason::Fallback {
            evaluation.source = Source::Fallback;
        }
        evaluation.freshness = published.freshness();
        let nth = self.shared().counts.evaluated(evaluation.source, evaluation.reason);
        if let Some(watch) = &self.shared().watch {
            watch.evaluated(Evaluated { flag, key, context, nth }, evaluation);
        }
    }

    pub(crate) fn enabled_or_fallback(
        &self,
        key: &str,
        value: Option<bool>,
        reason: Reason,
    ) -> Result<bool, Undecided> {
        match (value, reason.is_answer(), self.config().fallback) {
            (Some(value), ..) => Ok(value),
            (None, true, _) | (None, false, Fallback::FailClosed) => Ok(false),
            (None, false, Fallback::FailOpen) => Ok(true),
            (None, false, Fallback::Error) => Err(Undecided::new(key, reason)),
        }
    }
}
