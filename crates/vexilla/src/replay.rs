//! Evaluations that were decided here, for Flagr to record.

use vexilla_domain::{Context, EvaluationRef, Exposure};
use vexilla_eval::CompiledFlag;

use crate::client::Client;
use crate::parcel;

impl Client {
    /// Has Flagr record an evaluation that was decided here, where that is wanted. Never waits.
    #[inline]
    pub(crate) fn have_recorded(
        &self,
        flag: &CompiledFlag,
        entity_id: &str,
        ctx: &Context,
        evaluation: &EvaluationRef<'_>,
    ) {
        if flag.needs().any_of(self.shared().replayed) && evaluation.reason.reached_segments() {
            self.replay(flag, entity_id, ctx);
        }
    }

    #[cold]
    fn replay(&self, flag: &CompiledFlag, entity_id: &str, ctx: &Context) {
        let Some(courier) = self.shared().replays.get() else { return };
        courier.take_or_drop(parcel::write(&Exposure {
            flag_id: flag.head().id,
            entity_id: entity_id.into(),
            entity_type: ctx.entity_type().into(),
            entity_context: ctx.attributes().cloned(),
            ..Exposure::default()
        }));
    }
}
