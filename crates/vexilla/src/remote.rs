//! Decisions that are Flagr's, and what stands in for Flagr while it cannot be asked.

use std::sync::Arc;

use vexilla_domain::{
    Answer, Batch, BatchAnswer, Context, Debug, Evaluation, EvaluationRef, FlagHead, FlagId,
    FlagRef, Needs, Reason, RemoteCall, RemoteError, RemoteErrorKind, RemoteEvaluator, Revision,
    SnapshotId, Source,
};
use vexilla_eval::{CompiledFlag, Ruleset};

use crate::client::Client;
use crate::published::{Published, millis};

/// What the rules that are held here know of a flag that Flagr is to be asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    id: FlagId,
    snapshot_id: SnapshotId,
    data_records_enabled: bool,
    /// Its place among the counters of flags.
    tag: u32,
    /// The rules.
    revision: Revision,
    /// Whether the rules can stand in for Flagr without a loss.
    is_enough: bool,
}

impl Held {
    pub(crate) fn of(flag: &CompiledFlag, published: &Published) -> Self {
        let head = flag.head();
        let only_flagrs = Needs::RECORD.and(Needs::INJECTION).and(Needs::REPAIR).and(Needs::BODY);
        Self {
            id: head.id,
            snapshot_id: head.snapshot_id,
            data_records_enabled: head.data_records_enabled,
            tag: flag.tag(),
            revision: published.revision,
            is_enough: !flag.needs().any_of(only_flagrs) && !published.is_expired(),
        }
    }

    /// Whether Flagr answered by an older version of the flag than the one held here, by which the rules here can decide.
    /// It reads its flags every few seconds, and a change may be here before.
    fn overtakes(&self, answer: &Evaluation) -> bool {
        let answered = answer.flag.as_ref().map_or(0, |it| it.snapshot_id.0);
        self.is_enough && (1..self.snapshot_id.0).contains(&answered)
    }
}

impl Client {
    /// Whether a flag is Flagr's to decide, and there is a Flagr to ask.
    #[inline]
    pub(crate) fn is_flagrs(&self, flag: &CompiledFlag) -> bool {
        flag.needs().any_of(self.shared().needs_flagr)
    }

    /// Asks Flagr. An answer that the rules here have overtaken is none: who reads a flag here reads no older one after
    /// that.
    pub(crate) async fn ask(
        &self,
        flag: FlagRef<'_>,
        held: Held,
        context: &Context,
        debug: Debug,
    ) -> Result<Answer, RemoteError> {
        let call = RemoteCall {
            flag,
            id: held.id,
            snapshot_id: held.snapshot_id,
            data_records_enabled: held.data_records_enabled,
            context,
            debug,
        };
        let mut answer = self.remote()?.evaluate(call).await.inspect_err(told)?;
        if held.overtakes(&answer.evaluation) {
            return Err(overtaken()).inspect_err(told);
        }
        self.finish_remote(&mut answer.evaluation, held.revision);
        if let Some(watch) = &self.shared().watch {
            let evaluation = answer.evaluation.as_ref();
            let key = evaluation.flag.map_or(flag.key, |it| &it.key);
            watch.flagr_evaluated(held.tag, key, context.entity_id(), &evaluation);
        }
        Ok(answer)
    }

    /// Asks Flagr for many at once. Answers that the rules here have overtaken are left out.
    pub(crate) async fn ask_batch(
        &self,
        batch: Batch<'_>,
        published: &Published,
    ) -> Result<Vec<BatchAnswer>, RemoteError> {
        let mut answers = self.remote()?.evaluate_batch(batch).await.inspect_err(told)?;
        answers.retain(|it| {
            let evaluation = &it.answer.evaluation;
            let asked = evaluation.flag.as_ref().and_then(|it| published.ruleset.by_id(it.id));
            let held = asked.map(|it| Held::of(it, published));
            !held.is_some_and(|it| it.overtakes(evaluation))
        });
        for answer in &mut answers {
            self.finish_remote(&mut answer.answer.evaluation, published.revision);
            if let Some(watch) = &self.shared().watch {
                let rules = &self.shared().cell.load().ruleset;
                let evaluation = answer.answer.evaluation.as_ref();
                let (id, key) = evaluation.flag.map_or((FlagId(0), ""), |it| (it.id, &*it.key));
                let tag =
                    rules.by_id(id).or_else(|| rules.by_key(key)).map_or(0, CompiledFlag::tag);
                let entity = batch.entities.get(answer.entity).map_or("", |it| it.entity_id());
                watch.flagr_evaluated(tag, key, entity, &evaluation);
            }
        }
        Ok(answers)
    }

    fn remote(&self) -> Result<&Arc<dyn RemoteEvaluator>, RemoteError> {
        self.parts().remote.as_ref().ok_or_else(|| {
            RemoteError::new(RemoteErrorKind::Refused, "there is no Flagr to be asked")
        })
    }

    /// Says by which rules Flagr came to be asked, and counts. What a cache answered says itself how fresh it is.
    fn finish_remote(&self, evaluation: &mut Evaluation, revision: Revision) {
        evaluation.freshness.revision = revision;
        if evaluation.source == Source::Remote {
            evaluation.freshness.refreshed_at_ms = millis(self.parts().clock.now());
            evaluation.freshness.stale = false;
        }
        self.shared().counts.evaluated(evaluation.source, evaluation.reason);
    }

    /// Decides a flag that is Flagr's without Flagr: exactly as Flagr would, but for what only Flagr knows.
    pub(crate) fn stand_in<'p>(
        &self,
        flag: &'p CompiledFlag,
        ctx: &Context,
        undecidable: Reason,
    ) -> EvaluationRef<'p> {
        self.stand_in_with(flag, undecidable, || Ruleset::evaluate_flag(flag, ctx))
    }

    /// The same with another way to evaluate.
    pub(crate) fn stand_in_with<'p>(
        &self,
        flag: &'p CompiledFlag,
        undecidable: Reason,
        evaluate: impl FnOnce() -> EvaluationRef<'p>,
    ) -> EvaluationRef<'p> {
        let needs = flag.needs();
        if needs.any_of(Needs::REPAIR) {
            return nobody(flag.head(), Reason::Error);
        }
        if needs.any_of(Needs::INJECTION.and(Needs::BODY)) {
            return nobody(flag.head(), undecidable);
        }
        let mut evaluation = evaluate();
        evaluation.source = Source::Standby;
        let is_recorded = needs.any_of(self.shared().replayed);
        if needs.any_of(Needs::RECORD) && !is_recorded && evaluation.reason.reached_segments() {
            self.shared().counts.lost_record();
        }
        evaluation
    }
}

/// A blank that nobody decided.
fn nobody(head: &FlagHead, reason: Reason) -> EvaluationRef<'_> {
    let source = Source::Fallback;
    EvaluationRef { source, ..EvaluationRef::blank(Some(head), reason) }
}

fn overtaken() -> RemoteError {
    RemoteError::new(RemoteErrorKind::Refused, "its version of the flag is older than the one here")
}

/// An outage is told by the refresh; this tells why one evaluation was not Flagr's.
fn told(error: &RemoteError) {
    tracing::debug!(%error, "Flagr did not evaluate, the rules held here do");
}
