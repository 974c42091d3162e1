//! Why a flag came out as it did, for people.

use vexilla_domain::{Context, Evaluation, SegmentId};

use crate::anonymous::AnonymousId;
use crate::bucket::BUCKETS;
use crate::compile::{CompiledFlag, CompiledSegment, Condition};
use crate::condition::{self, BinaryOp, Expr};
use crate::evaluate::{Step, Trace, evaluate};
use crate::program::Compiler;
use crate::rollout::Outcome;
use crate::{Object, Ruleset};

/// An evaluation with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What came out.
    pub evaluation: Evaluation,
    /// The entity id that was hashed: a random one where the context has none.
    pub entity_id: Box<str>,
    /// The entity's bucket, 0 to 999; it is the same in all segments of a flag.
    pub bucket: Option<u32>,
    /// The segments that were tried, in order. The last one is where the evaluation ended, unless none matched.
    pub segments: Vec<SegmentTrace>,
}

/// What came of trying one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentTrace {
    /// The segment.
    pub segment_id: SegmentId,
    /// Whether its constraints hold, and why not.
    pub verdict: Verdict,
    /// Its constraints one by one, as text of the condition language, with what each comes to.
    pub constraints: Vec<ConstraintTrace>,
    /// How the rollout went, where it came to that.
    pub rollout: Option<RolloutTrace>,
}

/// Whether a segment applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All constraints hold, or there are none.
    Matched,
    /// They do not.
    NotMatched,
    /// They cannot be applied, which counts as not holding; the reason.
    Failed(String),
    /// There are constraints, and the context is no object.
    NoContext,
}

/// What one constraint comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintTrace {
    /// The constraint: `(country == "US")`.
    pub text: String,
    /// Whether it holds, or why it cannot be applied.
    pub outcome: Result<bool, String>,
}

/// How a rollout went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutTrace {
    /// The segment's rollout in percent.
    pub percent: u64,
    /// The variants' ranges of buckets.
    pub ranges: Vec<RangeTrace>,
    /// What the entity's bucket came to, in words.
    pub outcome: String,
}

/// A variant's range of buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeTrace {
    /// The variant's key; its id where the flag lacks it.
    pub variant: Box<str>,
    /// The first bucket.
    pub start: u32,
    /// The first bucket that the rollout leaves out.
    pub cut: u32,
    /// The first bucket behind the range.
    pub end: u32,
}

impl Ruleset {
    /// Evaluates the flag with this key and says why it came out so. `None` when there is no such flag.
    pub fn explain(&self, key: &str, ctx: &Context) -> Option<Explanation> {
        let flag = self.find(key)?;
        let anonymous = ctx.entity_id().is_empty().then(AnonymousId::random);
        let entity_id = anonymous.as_ref().map_or(ctx.entity_id(), AnonymousId::as_str);
        let mut trace =
            ExplainTrace { flag, context: ctx.object(), segments: Vec::new(), bucket: None };
        let evaluation = evaluate(flag, entity_id, ctx.attributes(), &mut trace).to_owned();
        Some(Explanation {
            evaluation,
            entity_id: entity_id.into(),
            bucket: trace.bucket,
            segments: trace.segments,
        })
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
