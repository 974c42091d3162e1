//! Why a flag came out as it did, for people.

use vexilla_domain::{
    ConstraintTrace, Context, Explanation, RangeTrace, RolloutTrace, SegmentTrace, Verdict,
};

use crate::anonymous::AnonymousId;
use crate::bucket::BUCKETS;
use crate::compile::{CompiledFlag, CompiledSegment, Condition};
use crate::condition::{self, BinaryOp, Expr};
use crate::evaluate::{Step, Trace, evaluate};
use crate::program::Compiler;
use crate::rollout::Outcome;
use crate::{Object, Ruleset};

impl Ruleset {
    /// Evaluates the flag with this key and says why it came out so. `None` when there is no such flag.
    pub fn explain(&self, key: &str, ctx: &Context) -> Option<Explanation> {
        self.find(key).map(|flag| Self::explain_flag(flag, ctx))
    }

    /// The same for a flag that was looked up before.
    pub fn explain_flag(flag: &CompiledFlag, ctx: &Context) -> Explanation {
        let anonymous = ctx.entity_id().is_empty().then(AnonymousId::random);
        let entity_id = anonymous.as_ref().map_or(ctx.entity_id(), AnonymousId::as_str);
        let mut trace =
            ExplainTrace { flag, context: ctx.object(), segments: Vec::new(), bucket: None };
        let evaluation = evaluate(flag, entity_id, ctx.attributes(), &mut trace).to_owned();
        Explanation {
            evaluation,
            needs: flag.needs,
            entity_id: entity_id.into(),
            bucket: trace.bucket,
            segments: trace.segments,
        }
    }
}

struct ExplainTrace<'a> {
    flag: &'a CompiledFlag,
    context: Option<&'a Object>,
    segments: Vec<SegmentTrace>,
    bucket: Option<u32>,
}

impl Trace for ExplainTrace<'_> {
    fn segment(&mut self, segment: &CompiledSegment, step: Step<'_>) {
        let (verdict, rollout) = match step {
            Step::NoContext => (Verdict::NoContext, None),
            Step::NoMatch(_) => (Verdict::NotMatched, None),
            Step::Failed(failure) => (Verdict::Failed(failure.to_string()), None),
            Step::Matched { bucket, outcome } => {
                self.bucket = Some(bucket);
                (Verdict::Matched, Some(self.rollout(segment, bucket, outcome)))
            }
        };
        let constraints = match (&segment.condition, self.context) {
            (Some(condition), Some(context)) => one_by_one(condition, context),
            _ => Vec::new(),
        };
        self.segments.push(SegmentTrace { segment_id: segment.id, verdict, constraints, rollout });
    }

    const WANTS_BUCKETS: bool = true;
}

impl ExplainTrace<'_> {
    fn rollout(&self, segment: &CompiledSegment, bucket: u32, outcome: Outcome) -> RolloutTrace {
        let variant_name = |choice: crate::rollout::Choice| {
            let variant = choice.position.and_then(|at| self.flag.variants.get(at as usize));
            variant.map_or_else(
                || format!("#{}", choice.variant_id).into(),
                |variant| variant.key.clone(),
            )
        };
        let percent = segment.rollout.percent();
        let ranges: Vec<_> = segment
            .rollout
            .ranges()
            .map(|it| RangeTrace {
                variant: variant_name(it.choice),
                start: it.start,
                cut: it.cut,
                end: it.end,
            })
            .collect();
        let outcome = match outcome {
            Outcome::In(choice) => {
                format!("bucket {bucket} is in the range of `{}`", variant_name(choice))
            }
            Outcome::Out => {
                format!("bucket {bucket} is beyond what a rollout of {percent} % lets through")
            }
            Outcome::Closed => "the rollout is at 0 %".to_owned(),
            Outcome::Undistributed => "the segment has no distribution".to_owned(),
            Outcome::Uncovered => {
                format!("the distribution ends before bucket {bucket} of {BUCKETS}")
            }
        };
        RolloutTrace { percent, ranges, outcome }
    }
}

/// What each operand of the joined AND comes to on its own.
fn one_by_one(condition: &Condition, context: &Object) -> Vec<ConstraintTrace> {
    let Ok(expr) = condition::parse(&condition.text) else { return Vec::new() };
    let operands: Vec<Expr> = match expr {
        Expr::Chain { first, rest } if rest.iter().all(|(op, _)| *op == BinaryOp::And) => {
            std::iter::once(*first).chain(rest.into_iter().map(|(_, operand)| operand)).collect()
        }
        other => vec![other],
    };
    operands
        .into_iter()
        .map(|operand| {
            let text = operand.to_string();
            let program = Compiler::default().compile(operand);
            let outcome = program.holds(context).map_err(|failure| failure.to_string());
            ConstraintTrace { text, outcome }
        })
        .collect()
}
