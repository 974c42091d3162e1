//! OpenFeature's remote evaluation protocol (OFREP 0.3): one flag, or all of them.
//!
//! `context.targetingKey` is the entity's id, the other members of `context` are its attributes. A caller of this
//! protocol does not say which type it expects, so the value is found by an untyped rule:
//!
//! 1. the attachment's `value`, unless absent or null;
//! 2. else the attachment's `enabled`, if it is a boolean;
//! 3. else the variant's key, where `on` and `true` are true, `off` and `false` are false, and the rest are texts. It is
//!    configurable that these four are texts too.
//!
//! Without a variant there is no `value`, and the caller's SDK uses its default. An entity without an id that only a
//! rollout could have decided gets `TARGETING_KEY_MISSING`: Flagr would draw a random id, which here means another
//! value each time.
//!
//! A bulk answer has a tag unless it holds an error: who asks again is to hear when that is over. `bulk` says what the
//! tag is of.

mod bulk;
mod error;
mod request;
mod write;

use std::sync::Arc;
use std::time::SystemTime;

use vexilla_domain::{
    Answer, Context, Debug, Engine, Evaluation, FlagRef, Operator, Reason, Revision, Source,
};

use crate::answer::json;
use crate::error::{Answered, Refusal};
use crate::etag::Tags;

pub(crate) use error::Problem;
pub(crate) use request::read_context;

/// Answers OpenFeature's callers.
#[derive(Debug)]
pub(crate) struct Ofrep {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) operator: Option<Arc<dyn Operator>>,
    pub(crate) tags: Tags,
    pub(crate) boolean_keys: bool,
    pub(crate) max_answer_bytes: usize,
}

impl Ofrep {
    /// One flag.
    pub(crate) async fn flag(
        &self,
        key: &str,
        context: &Context,
        now: SystemTime,
    ) -> Result<Answered, Problem> {
        self.check_loaded()?;
        let flag = FlagRef { id: 0, key };
        let answer = self.engine.evaluate(flag, context, Debug::Off).await;
        if let Some(problem) = problem_of(&answer, context, self.operator.as_deref()) {
            return Err(problem);
        }
        let mut out = Vec::with_capacity(384);
        write::success(&mut out, key, &answer.evaluation, self.boolean_keys);
        let mut response = json(out);
        let (source, freshness) = (answer.evaluation.source, answer.evaluation.freshness);
        self.tags.add_origin(response.headers_mut(), source, freshness, now);
        Ok(response)
    }

    fn check_loaded(&self) -> Result<(), Problem> {
        if self.engine.freshness().revision == Revision::default() {
            return Err(Problem::of_refusal(&Refusal::nothing_loaded()));
        }
        Ok(())
    }
}

/// Why an answer is none to this caller.
fn problem_of(
    answer: &Answer,
    context: &Context,
    operator: Option<&dyn Operator>,
) -> Option<Problem> {
    let evaluation = &answer.evaluation;
    match evaluation.reason {
        Reason::NotFound | Reason::Filtered => Some(Problem::not_found()),
        Reason::Error => Some(Problem::general("the flag is in error and has no good version")),
        Reason::NeedsRemote | Reason::Fallback if evaluation.variant.is_none() => {
            Some(Problem::general("nothing could decide the flag"))
        }
        _ if context.entity_id().is_empty() && was_drawn(evaluation, context, operator) => {
            Some(Problem::no_targeting_key())
        }
        _ => None,
    }
}

/// Whether a random bucket decided, because the entity has no id.
fn was_drawn(evaluation: &Evaluation, context: &Context, operator: Option<&dyn Operator>) -> bool {
    let by_bucket = |reason| matches!(reason, Reason::Split | Reason::Holdout);
    match (evaluation.source, &evaluation.flag) {
        // Flagr does not tell whether a bucket decided. The rules held here do.
        (Source::Remote | Source::RemoteCached, Some(flag)) => operator
            .and_then(|it| it.explain(&flag.key, context))
            .is_some_and(|it| by_bucket(it.evaluation.reason)),
        _ => by_bucket(evaluation.reason),
    }
}
