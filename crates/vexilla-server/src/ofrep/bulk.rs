//! All flags at once, and not again to who has them.
//!
//! Where the rules held here decide everything, the answer follows from their revision and the context, so that its tag
//! is known beforehand and a 304 costs no look at any flag. Where Flagr takes part, or the rules are stale, the tag is of
//! the written answer, and a 304 saves its transfer only.

use std::time::SystemTime;

use http::StatusCode;
use http::header::{self, HeaderMap};
use vexilla_domain::{Answer, Batch, Context, Freshness, Revision, Source};

use super::{Ofrep, Problem, problem_of, write};
use crate::answer::{json, off_thread, origin_of};
use crate::error::{Answered, Refusal, whole};

/// Writing the answers of more flags than this takes long enough that other requests would wait for it.
const MANY_FLAGS: usize = 500;

/// How long a bulk answer stays the answer; of several the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lasts {
    /// As long as the rules do.
    WithTheRules,
    /// As long as the same is written: somebody else decided, or the rules were stale.
    AsWritten,
    /// It does not: something could not be decided.
    ForNow,
}

impl Lasts {
    /// One flag's answer by the rules of a revision.
    fn of(answer: &Answer, problem: Option<&Problem>, revision: Revision) -> Self {
        let evaluation = &answer.evaluation;
        let (source, freshness) = (evaluation.source, evaluation.freshness);
        let is_by_rules = source == Source::Local && freshness.revision == revision;
        match problem {
            Some(_) => Self::ForNow,
            None if is_by_rules && !freshness.stale => Self::WithTheRules,
            None => Self::AsWritten,
        }
    }
}

impl Ofrep {
    /// All flags.
    pub(crate) async fn flags(
        &self,
        context: Context,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<Answered, Problem> {
        self.check_loaded()?;
        if self.operator.is_none() {
            return Err(Problem::no_list());
        }
        let freshness = self.engine.freshness();
        let revision = freshness.revision;
        let of_rules = self.tags.of_part(revision, &(context.entity_id(), context.attributes()));
        let mut origin = (Source::Local, freshness);
        let (tag, body) = if !freshness.stale && of_rules.is_known_to(headers) {
            (Some(of_rules), None)
        } else {
            let (body, lasts, of_answers) = self.write_all(context, revision).await?;
            origin = of_answers.unwrap_or(origin);
            let tag = match lasts {
                Lasts::WithTheRules => Some(of_rules),
                Lasts::AsWritten => Some(self.tags.of_part(revision, &body)),
                Lasts::ForNow => None,
            };
            let is_known = tag.as_ref().is_some_and(|it| it.is_known_to(headers));
            (tag, (!is_known).then_some(body))
        };
        let mut response = match body {
            Some(body) => json(body),
            None => {
                let mut response = whole("");
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response
            }
        };
        self.tags.add_origin(response.headers_mut(), origin.0, origin.1, now);
        if let Some(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag.to_header());
        }
        Ok(response)
    }

    async fn write_all(
        &self,
        context: Context,
        revision: Revision,
    ) -> Result<(Vec<u8>, Lasts, Option<(Source, Freshness)>), Problem> {
        let operator = self.operator.clone();
        let flags = operator.as_ref().map(|it| it.flags()).unwrap_or_default();
        let mut ids: Vec<_> = flags.into_iter().map(|it| it.id.0).collect();
        ids.sort_unstable();
        let entities = [context];
        let batch = Batch { entities: &entities, flag_ids: &ids, ..Batch::default() };
        // How many flags there are is the operator's choice, not the caller's.
        let answers = self.engine.evaluate_batch(batch, usize::MAX).await;
        let answers = answers.map_err(|it| Problem::of_refusal(&Refusal::batch_too_large(it)))?;
        let origin = origin_of(&answers);
        let [context] = entities;
        let (boolean_keys, most) = (self.boolean_keys, self.max_answer_bytes);
        let is_long = answers.len() > MANY_FLAGS;
        let write = move || {
            let mut out = Vec::with_capacity(answers.len().saturating_mul(256).min(most));
            out.extend_from_slice(b"{\"flags\":[");
            let mut lasts = Lasts::WithTheRules;
            let mut is_first = true;
            for answer in answers.iter().map(|it| &it.answer) {
                let Some(flag) = &answer.evaluation.flag else {
                    lasts = lasts.max(Lasts::AsWritten); // it went since the list was made
                    continue;
                };
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                let problem = problem_of(answer, &context, operator.as_deref());
                lasts = lasts.max(Lasts::of(answer, problem.as_ref(), revision));
                match problem {
                    Some(problem) => problem.write(&mut out, Some(&flag.key)),
                    None => write::success(&mut out, &flag.key, &answer.evaluation, boolean_keys),
                }
                if most < out.len() {
                    return Err(Refusal::answer_too_large(most));
                }
            }
            out.extend_from_slice(b"]}\n");
            Ok((out, lasts, origin))
        };
        let written = if is_long { off_thread(write).await } else { write() };
        written.map_err(|it| Problem::of_refusal(&it))
    }
}
