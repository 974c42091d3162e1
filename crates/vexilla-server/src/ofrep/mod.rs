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

mod error;
mod request;
mod write;

use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{self, HeaderMap};
use vexilla_domain::{
    Answer, Batch, Context, Debug, Engine, Evaluation, FlagRef, Operator, Reason, Revision, Source,
};

use crate::answer::{json, off_thread};
use crate::error::{Answered, Refusal, whole};
use crate::etag::Tags;

pub(crate) use error::Problem;
pub(crate) use request::read_context;

/// Writing the answers of more flags than this takes long enough that other requests would wait for it.
const MANY_FLAGS: usize = 500;

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

    /// All flags. Who has the answer of this revision for this context gets it only once.
    pub(crate) async fn flags(
        &self,
        context: Context,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<Answered, Problem> {
        self.check_loaded()?;
        let Some(operator) = &self.operator else { return Err(Problem::no_list()) };
        let freshness = self.engine.freshness();
        let asked = (context.entity_id(), context.attributes());
        let tag = self.tags.of_part(freshness.revision, &asked);
        let mut response = if tag.is_known_to(headers) {
            let mut response = whole("");
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut flags: Vec<_> = operator.flags().into_iter().map(|it| it.id.0).collect();
            flags.sort_unstable();
            json(self.write_all(flags, context).await?)
        };
        self.tags.add_origin(response.headers_mut(), Source::Local, freshness, now);
        response.headers_mut().insert(header::ETAG, tag.to_header());
        Ok(response)
    }

    async fn write_all(&self, ids: Vec<u64>, context: Context) -> Result<Vec<u8>, Problem> {
        let entities = [context];
        let batch = Batch { entities: &entities, flag_ids: &ids, ..Batch::default() };
        // How many flags there are is the operator's choice, not the caller's.
        let answers = self.engine.evaluate_batch(batch, usize::MAX).await;
        let answers = answers.map_err(|it| Problem::of_refusal(&Refusal::batch_too_large(it)))?;
        let [context] = entities;
        let (boolean_keys, most) = (self.boolean_keys, self.max_answer_bytes);
        let operator = self.operator.clone();
        let is_long = answers.len() > MANY_FLAGS;
        let write = move || {
            let mut out = Vec::with_capacity(answers.len().saturating_mul(256).min(most));
            out.extend_from_slice(b"{\"flags\":[");
            let mut is_first = true;
            for answer in answers.iter().map(|it| &it.answer) {
                // One that went since the list was made.
                let Some(flag) = &answer.evaluation.flag else { continue };
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                match problem_of(answer, &context, operator.as_deref()) {
                    Some(problem) => problem.write(&mut out, Some(&flag.key)),
                    None => write::success(&mut out, &flag.key, &answer.evaluation, boolean_keys),
                }
                if most < out.len() {
                    return Err(Refusal::answer_too_large(most));
                }
            }
            out.extend_from_slice(b"]}\n");
            Ok(out)
        };
        let written = if is_long { off_thread(write).await } else { write() };
        written.map_err(|it| Problem::of_refusal(&it))
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
