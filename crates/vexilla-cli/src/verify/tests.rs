//! Runs against a Flagr that is the evaluator itself, honest or not.

mod asking;
mod differences;
mod generation;

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;
use vexilla_domain::json::{Document, read_flags};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Context, Debug, Depth, Fetch, Flag, FlagRef, FlagSource, Marker,
    RemoteCall, RemoteError, RemoteEvaluator, SelectedBy, SourceError, SourceErrorKind, Strictness,
    Value,
};
use vexilla_eval::Ruleset;

use super::{Options, Peer, Progress, Report, run};

/// A constraint: property, operator, value.
type Parts = (&'static str, &'static str, &'static str);

/// The constraints of the first segment of each flag.
const CONSTRAINTS: [&[Parts]; 8] = [
    &[("country", "EQ", r#""US""#), ("age", "GTE", "18"), ("age", "LT", "65")],
    &[("user.plan", "IN", r#"["pro","team"]"#)],
    &[("scores[0]", "GT", "1.5"), ("tier", "NEQ", r#""free""#)],
    &[("email", "EREG", r#""^[a-z]+@corp\.example$""#)],
    &[("roles", "CONTAINS", r#""admin""#), ("region", "NOTIN", r#"["eu","us"]"#)],
    &[("a}{b", "LTE", "3"), ("name", "NEREG", r#""^test""#), ("ids", "NOTCONTAINS", "7")],
    &[("plan", "EQ", r#""x" OR {beta} == true"#)],
    &[],
];

/// The rollout of that segment, and its variants' shares.
const ROLLOUTS: [(u64, &[u64]); 8] = [
    (100, &[100]),
    (50, &[50, 50]),
    (0, &[100]),
    (1, &[1, 99]),
    (33, &[10, 0, 90]),
    (100, &[34, 33, 33]),
    (99, &[100]),
    (50, &[50, 50]),
];

/// Flags with each operator, path forms, and rollouts of every shape. A second segment takes everybody.
fn flags() -> Vec<Flag> {
    let flag = |id: usize, constraints: &[Parts], rollout: u64, shares: &[u64]| {
        let constraints: Vec<_> = constraints
            .iter()
            .map(|it| json!({"property": it.0, "operator": it.1, "value": it.2}))
            .collect();
        let rows: Vec<_> = (0..)
            .zip(shares)
            .map(|(at, percent): (usize, _)| json!({"variantKey": format!("v{at}"), "percent": percent}))
            .collect();
        let variants: Vec<_> =
            (0..3).map(|at| json!({"key": format!("v{at}"), "attachment": {"at": at}})).collect();
        json!({
            "id": id, "key": format!("flag-{id}"), "enabled": true, "variants": variants,
            "segments": [
                {"rolloutPercent": rollout, "constraints": constraints, "distributions": rows},
                {"rolloutPercent": 100, "distributions": [{"variantKey": "v2", "percent": 100}]},
            ],
        })
    };
    let list: Vec<_> = (1..)
        .zip(CONSTRAINTS.iter().zip(ROLLOUTS))
        .map(|(id, (constraints, (rollout, shares)))| flag(id, constraints, rollout, shares))
        .collect();
    read_flags(json!(list).to_string().as_bytes()).unwrap().flags
}

/// What a fake Flagr does to an honest answer, or instead of it.
type Twist = fn(&Context, Answer) -> Result<Answer, RemoteError>;

/// A Flagr that decides by the evaluator, and then does as it is told.
#[derive(Debug)]
struct Fake {
    rules: Ruleset,
    twist: Twist,
    /// How many entities each request had.
    requests: Mutex<Vec<usize>>,
    /// What is read when it is read again.
    later: Vec<Flag>,
    is_gone: bool,
}

impl Fake {
    fn new(flags: &[Flag], twist: Twist) -> Self {
        let rules = Ruleset::compile(flags, Vec::new(), Strictness::AsStored, None).ruleset;
        Self { rules, twist, requests: Mutex::default(), later: flags.to_vec(), is_gone: false }
    }

    fn honest(flags: &[Flag]) -> Self {
        Self::new(flags, |_, answer| Ok(answer))
    }
}

#[async_trait]
impl FlagSource for Fake {
    async fn fetch(&self, _: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        let document = Document { flags: self.later.clone(), problems: Vec::new() };
        Ok(Fetch { changed: Some(document), marker: Marker::default(), again_in: None })
    }

    async fn health(&self) -> Result<(), SourceError> {
        if self.is_gone {
            return Err(SourceError::new(SourceErrorKind::Unavailable, "refused"));
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "a Flagr in these tests".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}

#[async_trait]
impl RemoteEvaluator for Fake {
    async fn evaluate(&self, _: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        panic!("a run asks in batches only");
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        self.requests.lock().unwrap().push(batch.entities.len());
        let mut answers = Vec::new();
        for (entity, context) in batch.entities.iter().enumerate() {
            for id in batch.flag_ids {
                let flag = self.rules.resolve(FlagRef { id: *id, key: "" });
                let (evaluation, log) =
                    Ruleset::evaluate_logged(flag, *id, context.entity_id(), context, Debug::Off);
                let honest = Answer {
                    evaluation: evaluation.to_owned(),
                    entity_id: context.entity_id().into(),
                    log,
                };
                let answer = (self.twist)(context, honest)?;
                answers.push(BatchAnswer { entity, selected_by: SelectedBy::Id(*id), answer });
            }
        }
        answers.reverse(); // answers say whose they are
        Ok(answers)
    }
}

async fn run_with(flags: &[Flag], remote: &Fake, options: &Options) -> (Report, Vec<Progress>) {
    let mut steps = Vec::new();
    let mut report = Report::default();
    let peer = Peer { source: remote, remote };
    run(flags.to_vec(), peer, options, &mut report, &mut |it| steps.push(it)).await;
    (report, steps)
}

/// The text of an attribute, if it is one.
fn text<'c>(context: &'c Context, name: &str) -> Option<&'c str> {
    match context.object()?.get(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}
